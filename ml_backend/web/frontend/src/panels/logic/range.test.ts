import { expect, it } from 'vitest'
import { lastAbove } from './range'

it('the range down to a probability ends where it falls below', () => {
  const p = [0.99, 0.9, 0.9, 0.4]
  expect([1, 0.95, 0.9, 0.5, 0].map((least) => lastAbove(p, least))).toEqual([-1, 0, 2, 2, 3])
  expect(lastAbove([], 0)).toBe(-1)
})
