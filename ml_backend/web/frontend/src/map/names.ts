/** What the name of each class belongs to: the middle of its densest place. */

import { isPresent } from '../absent'
import { NO_CLASS, type Columns } from '../columns'
import { toScreen, type View } from './camera'
import { isWithin, type Box } from './nameSpots'

/** A class, as it is called and coloured on the map. */
export interface Named {
  readonly text: string
  readonly colour: string
}

export interface Name extends Named {
  readonly x: number
  readonly y: number
  /** Of its clump. */
  readonly items: number
}

const CELLS = 28
const LEAST_ITEMS = 3
/** Classes of which places are looked for: a taxonomy may have many thousands. */
const MOST_CLASSES = 1000

/** Largest clump first. names: of the classes of the control. */
export function placeNames(columns: Columns, names: readonly Named[], hidden: ReadonlySet<number>): Name[] {
  const classes = largest(columns, names.length, hidden), places = new Int32Array(names.length).fill(-1)
  if (classes.length === 0) return []
  classes.forEach((index, place) => (places[index] = place))
  const cells = CELLS * CELLS, counts = new Uint32Array(classes.length * cells)
  const cellOf = (row: number): number => line(columns.xy[2 * row + 1] ?? 0) * CELLS + line(columns.xy[2 * row] ?? 0)
  const placeOf = (row: number): number => (isPresent(columns, row) ? (places[columns.class[row] ?? NO_CLASS] ?? -1) : -1)
  for (let row = 0; row < columns.n; row++) {
    const place = placeOf(row)
    if (place < 0) continue
    const at = place * cells + cellOf(row)
    counts[at] = (counts[at] ?? 0) + 1
  }
  const densest = classes.map((_, place) => densestCell(counts, place * cells))
  const sums = classes.map(() => ({ x: 0, y: 0, n: 0 }))
  for (let row = 0; row < columns.n; row++) {
    const place = placeOf(row), sum = sums[place]
    if (sum === undefined || !beside(cellOf(row), densest[place] ?? -1)) continue
    sum.x += columns.xy[2 * row] ?? 0
    sum.y += columns.xy[2 * row + 1] ?? 0
    sum.n++
  }
  return sums
    .flatMap(({ x, y, n }, place) => {
      const name = names[classes[place] ?? -1]
      return name === undefined || n === 0 ? [] : [{ text: name.text, colour: name.colour, items: n, x: x / n, y: y / n }]
    })
    .sort((a, b) => b.items - a.items)
}

/** Of the names whose clump is on the screen those that come first. */
export function namesInView(names: readonly Name[], view: View, screen: Box, most: number): Name[] {
  const found: Name[] = []
  for (const name of names) {
    if (found.length === most) break
    if (isWithin(toScreen(view, name.x, name.y), screen)) found.push(name)
  }
  return found
}

/** The classes with the most items, few items and hidden ones left out. */
function largest(columns: Columns, all: number, hidden: ReadonlySet<number>): number[] {
  const items = new Uint32Array(all)
  for (let row = 0; row < columns.n; row++) {
    const index = columns.class[row] ?? NO_CLASS
    if (index < all && isPresent(columns, row)) items[index] = (items[index] ?? 0) + 1
  }
  const found: number[] = []
  items.forEach((n, index) => {
    if (n >= LEAST_ITEMS && !hidden.has(index)) found.push(index)
  })
  return found.sort((a, b) => (items[b] ?? 0) - (items[a] ?? 0)).slice(0, MOST_CLASSES)
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
