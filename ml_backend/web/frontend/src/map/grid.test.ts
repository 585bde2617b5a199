import { expect, it } from 'vitest'
import { Grid } from './grid'
import { nextInDirection } from './hop'

const N = 3000
const places = Float32Array.from({ length: 2 * N }, (_, i) => Math.sin(i * 12.9898) * 0.99)

function nearestByHand(x: number, y: number): number {
  let best = 0, least = Infinity
  for (let row = 0; row < N; row++) {
    const d = ((places[2 * row] ?? 0) - x) ** 2 + ((places[2 * row + 1] ?? 0) - y) ** 2
    if (d < least) {
      least = d
      best = row
    }
  }
  return best
}

it('finds what is nearest, and nothing beyond the radius', () => {
  const grid = new Grid(places, null)
  for (let i = 0; i < 50; i++) {
    const x = Math.cos(i * 3.7), y = Math.cos(i * 1.3)
    expect(grid.nearest(x, y, 3)?.row).toBe(nearestByHand(x, y))
  }
  expect(grid.nearest(5, 5, 0.1)).toBeNull()
})

it('never finds a hidden point', () => {
  const row = nearestByHand(0.1, 0.1)
  const skip = new Uint8Array(N)
  skip[row] = 1
  expect(new Grid(places, skip).nearest(0.1, 0.1, 3)?.row).not.toBe(row)
})

it('finds points on the very edge of the map', () => {
  const corner = Float32Array.from([1, 1, -1, -1])
  expect(new Grid(corner, null).nearest(1, 1, 0.01)?.row).toBe(0)
  expect(new Grid(corner, null).nearest(-1, -1, 0.01)?.row).toBe(1)
})

it('hops to the next point in a direction, not beside it', () => {
  const cross = Float32Array.from([0, 0, 0.2, 0.01, 0.1, 0.3, -0.4, 0])
  const grid = new Grid(cross, null)
  expect(nextInDirection(grid, cross, 0, 0, 0, [1, 0])).toBe(1)
  expect(nextInDirection(grid, cross, 0, 0, 0, [0, 1])).toBe(2)
  expect(nextInDirection(grid, cross, 0, 0, 0, [-1, 0])).toBe(3)
  expect(nextInDirection(grid, cross, 0, 0, 0, [0, -1])).toBeNull()
})
