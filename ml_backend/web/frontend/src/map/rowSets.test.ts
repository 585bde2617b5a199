import { expect, it } from 'vitest'
import { changed, contains, difference, rowSet, union } from './rowSets'

const rows = (...values: number[]): Uint32Array => Uint32Array.from(values)

it('adds and takes out', () => {
  expect([...union(rows(1, 3, 5), rows(2, 3, 9))]).toEqual([1, 2, 3, 5, 9])
  expect([...difference(rows(1, 3, 5), rows(0, 3, 9))]).toEqual([1, 5])
  expect([...union(rows(), rows(4))]).toEqual([4])
  expect([...difference(rows(4), rows())]).toEqual([4])
})

it('a gesture replaces the selection, adds to it, takes from it or keeps what is in both', () => {
  expect([...changed(rows(1, 2), rows(2, 3), 'new')]).toEqual([2, 3])
  expect([...changed(rows(1, 2), rows(2, 3), 'add')]).toEqual([1, 2, 3])
  expect([...changed(rows(1, 2), rows(2, 3), 'remove')]).toEqual([1])
  expect([...changed(rows(1, 2, 5), rows(2, 3, 5), 'keep')]).toEqual([2, 5])
  expect([...changed(rows(1), rows(2), 'keep')]).toEqual([])
})

it('a set is sorted by number and has each row once', () => {
  expect([...rowSet([10, 9, 100, 9, 1])]).toEqual([1, 9, 10, 100])
  expect(contains(rows(1, 9, 10), 9)).toBe(true)
  expect(contains(rows(1, 9, 10), 8)).toBe(false)
  expect(contains(rows(), 0)).toBe(false)
})
