/** From one point to the next in a direction, for people who use no pointer. */

import type { Grid } from './grid'

export type Direction = readonly [number, number]

/** Of the arrow keys; y up. */
export const DIRECTIONS: Readonly<Record<string, Direction>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }

const FIRST_RADIUS = 0.02
const LAST_RADIUS = 3

/** The closest row that lies more in the direction than beside it; null when none does. from: a row, or null for the place itself. */
export function nextInDirection(grid: Grid, places: Float32Array, x: number, y: number, from: number | null, [right, up]: Direction): number | null {
  for (let radius = FIRST_RADIUS; radius < LAST_RADIUS; radius *= 2) {
    let best = -1, least = Infinity
    grid.around(x, y, radius, (row, squared) => {
      if (row === from || squared === 0) return
      const dx = (places[2 * row] ?? 0) - x, dy = (places[2 * row + 1] ?? 0) - y
      const along = dx * right + dy * up, aside = Math.abs(dx * up - dy * right)
      if (along <= aside) return
      const cost = squared * (1 + aside / along)
      if (cost < least) {
        least = cost
        best = row
      }
    })
    if (best >= 0) return best
  }
  return null
}
