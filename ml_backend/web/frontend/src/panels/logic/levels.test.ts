import { expect, it } from 'vitest'
import { atLeast, levelFor, rangeOf } from './levels'

const values = Uint8Array.of(243, 250, 250, 252, 253, 253, 254, 254, 254, 255)

it('counts what reaches a threshold as the map rings it', () => {
  expect(atLeast(values, 254 / 255)).toBe(4)
  expect(atLeast(values, 0)).toBe(10)
})

it('knows the range that a slider has to cover', () => {
  expect(rangeOf(values)).toEqual([243, 255])
  expect(rangeOf(new Uint8Array())).toEqual([0, 0])
})

it('finds the level for a share, however squeezed the values are', () => {
  expect(levelFor(values, 0.1)).toBe(255)
  expect(levelFor(values, 0.4)).toBe(254)
  expect(levelFor(values, 1)).toBe(0)
  expect(levelFor(values, 0.05)).toBe(256)
})
