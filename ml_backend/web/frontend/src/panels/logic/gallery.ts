/** Which items of a selection are looked at before they are labelled. */

import { type Described, NONE, STATUS } from './selectionSummary'

/** A fair sample without replacement, the same for the same selection. Row order. */
export function sample(rows: Uint32Array, size: number): number[] {
  if (rows.length <= size) return [...rows]
  const random = generator(rows.length * 31 + (rows[0] ?? 0) * 7 + (rows[rows.length - 1] ?? 0))
  const chosen = new Set<number>()
  // Floyd's algorithm: as many draws as items, whatever the size of the selection.
  for (let i = rows.length - size; i < rows.length; i++) {
    const drawn = Math.floor(random() * (i + 1))
    chosen.add(chosen.has(drawn) ? i : drawn)
  }
  return [...chosen].sort((a, b) => a - b).map((place) => rows[place] ?? 0)
}

/** The items that fit the rest least, least fitting first: another class than most, far from what is known, unlike its group. */
export function atypical(columns: Described, rows: Uint32Array, size: number): number[] {
  const usual = commonest(columns, rows)
  const scored: { row: number; oddness: number }[] = []
  for (const row of rows) {
    const strange = Math.max(columns.s_ood[row] ?? 0, columns.novelty[row] ?? 0) / 255
    const other = columns.class[row] === usual ? 0 : 0.5
    scored.push({ row, oddness: strange + other })
  }
  // Only the top is needed; a full sort of a large selection would be felt.
  const threshold = quantile(scored.map(({ oddness }) => oddness), size)
  return scored
    .filter(({ oddness }) => oddness >= threshold)
    .sort((a, b) => b.oddness - a.oddness || a.row - b.row)
    .slice(0, size)
    .map(({ row }) => row)
}

function commonest(columns: Described, rows: Uint32Array): number {
  const counts = new Map<number, number>()
  for (const row of rows) {
    const index = columns.status[row] === STATUS.neverSeen ? NONE : (columns.class[row] ?? NONE)
    counts.set(index, (counts.get(index) ?? 0) + 1)
  }
  let best = NONE, most = -1
  for (const [index, n] of counts) if (n > most) [best, most] = [index, n]
  return best
}

/** The size-th largest value. */
function quantile(values: number[], size: number): number {
  if (values.length <= size) return Number.NEGATIVE_INFINITY
  return Float64Array.from(values).sort()[values.length - size] ?? Number.NEGATIVE_INFINITY
}

/** A small generator of numbers in [0, 1) from a seed. */
function generator(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
