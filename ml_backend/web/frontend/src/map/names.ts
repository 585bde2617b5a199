/** What the name of each class belongs to: the middle of its densest place. */

import { NO_CLASS, type Columns } from '../columns'

/** A class, as it is called and coloured on the map. */
export interface Named {
  readonly text: string
  readonly colour: string
}

export interface Name extends Named {
  readonly x: number
  readonly y: number
  readonly items: number
}

const CELLS = 28
const LEAST_ITEMS = 3
const MOST_NAMES = 60

/** Largest class first. names: of the classes of the control. */
export function placeNames(columns: Columns, names: readonly Named[], hidden: ReadonlySet<number>): Name[] {
  if (names.length > MOST_NAMES || columns.n === 0) return []
  const cells = CELLS * CELLS, counts = new Uint32Array(names.length * cells), items = new Uint32Array(names.length)
  const cellOf = (row: number): number => line(columns.xy[2 * row + 1] ?? 0) * CELLS + line(columns.xy[2 * row] ?? 0)
  for (let row = 0; row < columns.n; row++) {
    const index = columns.class[row] ?? NO_CLASS
    if (index >= names.length) continue
    const at = index * cells + cellOf(row)
    counts[at] = (counts[at] ?? 0) + 1
    items[index] = (items[index] ?? 0) + 1
  }
  const densest = names.map((_, index) => densestCell(counts, index * cells))
  const sums = names.map(() => ({ x: 0, y: 0, n: 0 }))
  for (let row = 0; row < columns.n; row++) {
    const index = columns.class[row] ?? NO_CLASS, sum = sums[index]
    if (sum === undefined || !beside(cellOf(row), densest[index] ?? -1)) continue
    sum.x += columns.xy[2 * row] ?? 0
    sum.y += columns.xy[2 * row + 1] ?? 0
    sum.n++
  }
  return names
    .map(({ text, colour }, index) => ({ text, colour, index, items: items[index] ?? 0, sum: sums[index] ?? { x: 0, y: 0, n: 0 } }))
    .filter((name) => name.items >= LEAST_ITEMS && name.sum.n > 0 && !hidden.has(name.index))
    .map(({ text, colour, items: size, sum }) => ({ text, colour, items: size, x: sum.x / sum.n, y: sum.y / sum.n }))
    .sort((a, b) => b.items - a.items)
}

function line(value: number): number {
  return Math.min(CELLS - 1, Math.max(0, Math.floor(((value + 1) / 2) * CELLS)))
}

/** The cell with the most of a class among it and its neighbours. */
function densestCell(counts: Uint32Array, from: number): number {
  let best = 0, most = -1
  for (let cell = 0; cell < CELLS * CELLS; cell++) {
    const own = counts[from + cell] ?? 0
    if (own === 0) continue
    let sum = own
    for (const step of [-1, 1, -CELLS, CELLS]) sum += beside(cell, cell + step) ? (counts[from + cell + step] ?? 0) : 0
    if (sum > most) {
      most = sum
      best = cell
    }
  }
  return best
}

/** Whether two cells are the same or touch. */
function beside(a: number, b: number): boolean {
  if (b < 0 || b >= CELLS * CELLS) return false
  return Math.abs((a % CELLS) - (b % CELLS)) <= 1 && Math.abs(Math.floor(a / CELLS) - Math.floor(b / CELLS)) <= 1
}
