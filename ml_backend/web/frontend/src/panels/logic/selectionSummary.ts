/** What a selection is made of, and what a label would do to it. */

import { ABSENT } from '../../absent'

/** Class index of an item for which no class is named. */
export const NONE = 65535

export const STATUS = { none: 0, propagated: 1, human: 2, neverSeen: 3, setAside: 4, absent: ABSENT } as const

/** The columns read here; one value per item. */
export interface Described {
  readonly ids: Uint32Array
  readonly class: Uint16Array
  readonly status: Uint8Array
  readonly confidence: Uint8Array
  readonly s_ood: Uint8Array
  readonly novelty: Uint8Array
}

export interface ClassShare {
  /** Class index, NONE included. */
  readonly index: number
  readonly human: number
  readonly predicted: number
}

export interface SelectionSummary {
  readonly items: number
  readonly human: number
  readonly setAside: number
  readonly neverSeen: number
  /** Mean confidence of the predictions in it, 0..1, or null without any. */
  readonly confidence: number | null
  /** Share with s_OOD at or above the threshold, 0..1. */
  readonly oodShare: number
  /** Largest class first. */
  readonly mix: readonly ClassShare[]
}

/** One pass over the rows; `dropped` are left out. threshold: of s_OOD, 0..1. */
export function summarise(
  columns: Described, rows: Uint32Array, dropped: ReadonlySet<number>, threshold: number,
): SelectionSummary {
  const shares = new Map<number, { human: number; predicted: number }>()
  const limit = Math.round(threshold * 255)
  let items = 0, human = 0, setAside = 0, neverSeen = 0, sure = 0, predictions = 0, odd = 0
  for (const row of rows) {
    if (dropped.has(row)) continue
    items++
    const status = columns.status[row] ?? 0
    const index = columns.class[row] ?? NONE
    if ((columns.s_ood[row] ?? 0) >= limit) odd++
    if (status === STATUS.setAside) setAside++
    if (status === STATUS.neverSeen) neverSeen++
    const share = shares.get(index) ?? { human: 0, predicted: 0 }
    if (status === STATUS.human) {
      human++
      share.human++
    } else {
      share.predicted++
      if (status === STATUS.propagated) {
        predictions++
        sure += (columns.confidence[row] ?? 0) / 255
      }
    }
    shares.set(index, share)
  }
  const mix = [...shares].map(([index, share]) => ({ index, ...share }))
  mix.sort((a, b) => b.human + b.predicted - (a.human + a.predicted) || a.index - b.index)
  return {
    items, human, setAside, neverSeen, mix,
    confidence: predictions > 0 ? sure / predictions : null,
    oodShare: items > 0 ? odd / items : 0,
  }
}

/** The rows to label: with a task, not dropped, and not a person's already unless `overwrite`. */
export function rowsToLabel(
  columns: Described, rows: Uint32Array, dropped: ReadonlySet<number>, overwrite: boolean,
): number[] {
  const chosen: number[] = []
  for (const row of rows) {
    if (dropped.has(row) || (columns.ids[row] ?? 0) === 0) continue
    if (!overwrite && columns.status[row] === STATUS.human) continue
    chosen.push(row)
  }
  return chosen
}

/** The rows of which a prediction is at least this sure and which no person has labelled. confidence: 0..1. */
export function rowsToAccept(columns: Described, rows: Iterable<number>, confidence: number): number[] {
  const chosen: number[] = []
  for (const row of rows) {
    const predicted = columns.status[row] === STATUS.propagated && columns.class[row] !== NONE
    if (predicted && (columns.ids[row] ?? 0) > 0 && (columns.confidence[row] ?? 0) / 255 >= confidence) chosen.push(row)
  }
  return chosen
}
