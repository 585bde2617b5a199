import { expect, it } from 'vitest'
import { ABSENT, countPresent, presentRows, presentValues } from './absent'

const some = { status: Uint8Array.of(0, ABSENT, 2, 1) }
const all = { status: Uint8Array.of(0, 1, 2, 1) }

it('a selection takes no row whose task is gone', () => {
  expect([...presentRows(some, Uint32Array.of(0, 1, 3))]).toEqual([0, 3])
})

it('counts and scales go by what is there', () => {
  const values = Uint8Array.of(9, 255, 8, 7)
  expect(countPresent(some)).toBe(3)
  expect([...presentValues(some, values)]).toEqual([9, 8, 7])
  expect(presentValues(all, values)).toBe(values)
})
