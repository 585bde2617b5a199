/** Sets of rows made from sets of rows. */

import { type Described, STATUS } from './selectionSummary'

/** Below this a prediction counts as uncertain, 0..1. */
export const SURE = 0.7

/** Everything that is not selected and not hidden in the legend. */
export function inverted(columns: Pick<Described, 'class'>, rows: Uint32Array, hidden: ReadonlySet<number>): number[] {
  const selected = new Set(rows)
  const others: number[] = []
  columns.class.forEach((index, row) => {
    if (!selected.has(row) && !hidden.has(index)) others.push(row)
  })
  return others
}

/** All rows of the groups (components) that the selection touches. */
export function grown(groups: Uint32Array, rows: Uint32Array): number[] {
  const touched = new Set<number>()
  for (const row of rows) touched.add(groups[row] ?? 0)
  const all: number[] = []
  groups.forEach((group, row) => {
    if (touched.has(group)) all.push(row)
  })
  return all
}

/** The selected rows that no person labelled and of which the prediction is not sure, or missing. */
export function uncertain(columns: Pick<Described, 'status' | 'confidence'>, rows: Uint32Array): number[] {
  return [...rows].filter((row) => columns.status[row] !== STATUS.human && (columns.confidence[row] ?? 0) < SURE * 255)
}
