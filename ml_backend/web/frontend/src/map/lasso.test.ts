import { describe, expect, it } from 'vitest'
import { insideOf, type Polygon, rectangle, rowsInside, simplified } from './lasso'

/** Winding number by the angles that the outline turns through: slow, and nothing in common with the fast way. */
function turns(polygon: Polygon, x: number, y: number): number {
  let sum = 0
  polygon.forEach(([ax, ay], i) => {
    const [bx, by] = polygon[(i + 1) % polygon.length] ?? [0, 0]
    let turn = Math.atan2(by - y, bx - x) - Math.atan2(ay - y, ax - x)
    if (turn > Math.PI) turn -= 2 * Math.PI
    if (turn < -Math.PI) turn += 2 * Math.PI
    sum += turn
  })
  return Math.round(sum / (2 * Math.PI))
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('the non-zero rule', () => {
  it('leaves out the bay of a concave outline', () => {
    const inside = insideOf([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]])
    expect(inside(2, 0.5)).toBe(true)
    expect(inside(2, 3)).toBe(false)
    expect(inside(0.5, 3)).toBe(true)
  })

  it('has no hole where a loop is drawn over itself', () => {
    const twice: Polygon = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]
    expect(insideOf(twice)(2, 2)).toBe(true)
  })

  it('takes both halves of a figure of eight', () => {
    const inside = insideOf([[-2, -1], [2, 1], [2, -1], [-2, 1]])
    expect(inside(-1.5, 0)).toBe(true)
    expect(inside(1.5, 0)).toBe(true)
    expect(inside(0, 0.8)).toBe(false)
  })

  it('agrees with the turning angle on wild outlines', () => {
    const next = random(3)
    for (let round = 0; round < 20; round++) {
      const outline: Polygon = Array.from({ length: 3 + Math.floor(next() * 30) }, () => [2 * next() - 1, 2 * next() - 1])
      const inside = insideOf(outline)
      for (let i = 0; i < 200; i++) {
        const x = 2.4 * next() - 1.2, y = 2.4 * next() - 1.2
        expect(inside(x, y), `${round}: ${x} ${y}`).toBe(turns(outline, x, y) !== 0)
      }
    }
  })
})

it('a line encloses nothing', () => {
  expect(insideOf([[0, 0], [1, 1]])(0.5, 0.5)).toBe(false)
  expect(insideOf([[0, 0], [1, 0], [2, 0]])(1, 0)).toBe(false)
})

it('rows come ascending, without those that cannot be met', () => {
  const places = Float32Array.from([0, 0, 5, 5, 0.5, 0.5, -0.5, 0.2])
  const inside = insideOf(rectangle([1, 1], [-1, -1]))
  expect([...rowsInside(places, inside, null)]).toEqual([0, 2, 3])
  expect([...rowsInside(places, inside, Uint8Array.from([0, 0, 1, 0]))]).toEqual([0, 3])
})

it('fewer corners enclose the same points', () => {
  const circle: Polygon = Array.from({ length: 400 }, (_, i) => [200 + 150 * Math.cos(i / 63.7), 200 + 150 * Math.sin(i / 63.7)])
  const fewer = simplified(circle)
  expect(fewer.length).toBeLessThan(80)
  const a = insideOf(circle), b = insideOf(fewer), next = random(1)
  for (let i = 0; i < 500; i++) {
    const x = 400 * next(), y = 400 * next()
    if (Math.abs(Math.hypot(x - 200, y - 200) - 150) > 1) expect(b(x, y)).toBe(a(x, y))
  }
})
