/** Which rows carry rings, rims and crosses. */

import { ABSENT, isPresent } from '../absent'
import type { Columns } from '../columns'
import { STATUS } from './style'

export interface LastingMarks {
  /** Most outside first. */
  readonly odd: Uint32Array
  readonly human: Uint32Array
  readonly pending: Uint32Array
  readonly setAside: Uint32Array
}

/** The marks on points that are not dimmed, and the rims of those that are. */
export interface ShownMarks extends LastingMarks {
  readonly dimHuman: Uint32Array
}

export function shownMarks({ odd, human, pending, setAside }: LastingMarks, isDim: (row: number) => boolean): ShownMarks {
  const bright = (rows: Uint32Array): Uint32Array => rows.filter((row) => !isDim(row))
  return { odd: bright(odd), human: bright(human), pending: bright(pending), setAside: bright(setAside), dimHuman: human.filter(isDim) }
}

/** One pass over all points. threshold: of s_OOD, 0..1; skip: 1 for rows that are not shown, `hiddenRows`. */
export function lastingMarks(columns: Columns, threshold: number, skip: Uint8Array | null): LastingMarks {
  const odd: number[] = [], human: number[] = [], pending: number[] = [], setAside: number[] = []
  const limit = Math.max(1, threshold * 255)
  for (let row = 0; row < columns.n; row++) {
    if (skip?.[row] === 1) continue
    const status = columns.status[row]
    if (status === STATUS.human) human.push(row)
    else if (status === STATUS.setAside) setAside.push(row)
    else if ((columns.s_ood[row] ?? 0) >= limit) odd.push(row)
    if (columns.pending[row] === 1) pending.push(row)
  }
  odd.sort((a, b) => (columns.s_ood[b] ?? 0) - (columns.s_ood[a] ?? 0))
  return { odd: Uint32Array.from(odd), human: Uint32Array.from(human), pending: Uint32Array.from(pending), setAside: Uint32Array.from(setAside) }
}

/** 1 for the rows that the legend hides and those whose task is gone; null where there are none of these. */
export function hiddenRows(columns: Columns, hidden: ReadonlySet<number>): Uint8Array | null {
  if (hidden.size === 0 && !columns.status.includes(ABSENT)) return null
  const skip = new Uint8Array(columns.n)
  for (let row = 0; row < columns.n; row++) if (!isPresent(columns, row) || hidden.has(columns.class[row] ?? 0)) skip[row] = 1
  return skip
}
