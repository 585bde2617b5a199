/** Which columns a change makes old, and where rows went. */

import { FIRST_COLUMNS, OTHER_COLUMNS, type ColumnName } from './columns'
import type { Versions } from './state'

/** The columns that may differ between two versions of the state. */
export function columnsToAsk(before: Versions, after: Versions): readonly ColumnName[] {
  const asked = new Set<ColumnName>()
  if (before.layout !== after.layout || before.frame !== after.frame) asked.add('xy')
  if (before.marks !== after.marks) for (const name of ['pending', 'changed', 'status'] as const) asked.add(name)
  if (before.labels !== after.labels || before.publication !== after.publication || before.rows !== after.rows) {
    for (const name of [...FIRST_COLUMNS, ...OTHER_COLUMNS]) if (name !== 'ids' || before.rows !== after.rows) asked.add(name)
  }
  return [...asked]
}

export function sameRows(before: Uint32Array, after: Uint32Array): boolean {
  if (before === after) return true
  const n = Math.min(before.length, after.length)
  for (let row = 0; row < n; row++) if (before[row] !== after[row]) return false
  return before.length === after.length
}

/** Where a row is now, by its task; null when the task is gone, or there was none. */
export function rowsById(before: Uint32Array, after: Uint32Array): (row: number) => number | null {
  const rows = new Map<number, number>()
  after.forEach((id, row) => {
    if (id !== 0) rows.set(id, row)
  })
  return (row) => {
    const id = before[row] ?? 0
    return id === 0 ? null : (rows.get(id) ?? null)
  }
}
