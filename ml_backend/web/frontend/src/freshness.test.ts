import { expect, it } from 'vitest'
import { columnsToAsk, rowsById, sameRows } from './freshness'

const versions = { publication: 1, labels: 1, layout: 1, rows: 'a', frame: 0, marks: 'a' }

it('a frame of a training asks for places only', () => {
  expect(columnsToAsk(versions, { ...versions, frame: 1 })).toEqual(['xy'])
})

it('a confirmed label asks for marks only', () => {
  expect([...columnsToAsk(versions, { ...versions, marks: 'b' })].sort()).toEqual(['changed', 'pending', 'status'])
})

it('a new label asks for everything but the ids, new rows for these, too', () => {
  expect(columnsToAsk(versions, { ...versions, labels: 2 })).toContain('confidence')
  expect(columnsToAsk(versions, { ...versions, labels: 2 })).not.toContain('ids')
  expect(columnsToAsk(versions, { ...versions, rows: 'b' })).toContain('ids')
  expect(columnsToAsk(versions, versions)).toEqual([])
})

it('rows follow their tasks; a deleted one is gone, and one without a task cannot be followed', () => {
  const before = Uint32Array.from([7, 8, 0, 9]), after = Uint32Array.from([0, 9, 7])
  const place = rowsById(before, after)
  expect([0, 1, 2, 3].map(place)).toEqual([2, null, null, 1])
  expect(sameRows(before, before.slice())).toBe(true)
  expect(sameRows(before, after)).toBe(false)
  expect(sameRows(after, Uint32Array.from([0, 9]))).toBe(false)
})
