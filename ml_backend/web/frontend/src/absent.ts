/** Rows whose task was deleted in Label Studio: they keep their number, and nothing on the page shows or counts them. */

import { computed } from '@preact/signals'
import { columns } from './state'

/** In the column `status`. */
export const ABSENT = 5

interface WithStatus {
  readonly status: Uint8Array
}

export function isPresent({ status }: WithStatus, row: number): boolean {
  return status[row] !== ABSENT
}

/** Those of the rows that are there, in their order. */
export function presentRows(of: WithStatus, rows: Uint32Array): Uint32Array {
  return rows.every((row) => isPresent(of, row)) ? rows : rows.filter((row) => isPresent(of, row))
}

/** What a column says of the rows that are there; the column itself where all are. */
export function presentValues(of: WithStatus, values: Uint8Array): Uint8Array {
  return of.status.includes(ABSENT) ? values.filter((_, row) => isPresent(of, row)) : values
}

export function countPresent({ status }: WithStatus): number {
  let n = 0
  for (const one of status) if (one !== ABSENT) n++
  return n
}

const status = computed(() => columns.value.status)

/** How many items the map shows. */
export const shownItems = computed(() => countPresent({ status: status.value }))
