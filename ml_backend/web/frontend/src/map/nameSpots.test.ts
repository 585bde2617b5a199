import { expect, it } from 'vitest'
import type { Point } from './camera'
import { NameSpots, type Box, type Covered, type Wanted } from './nameSpots'

const RULES = { panned: false, farthest: 200, most: 60 }
const SCREEN: Box = { left: 0, top: 0, right: 800, bottom: 600 }

const name = (text: string, at: Point, width = 90): Wanted => ({ text, at, width, height: 20 })
const inside = ([x, y]: Point, { left, top, right, bottom }: Box): boolean => x >= left && x <= right && y >= top && y <= bottom
const counting = (points: readonly Point[]): Covered => (box, limit) => Math.min(limit, points.filter((point) => inside(point, box)).length)

/** Evenly filled, `radius` wide. */
function clump([x, y]: Point, radius: number): Point[] {
  const points: Point[] = []
  for (let dx = -radius; dx <= radius; dx += 4) {
    for (let dy = -radius; dy <= radius; dy += 4) if (Math.hypot(dx, dy) <= radius) points.push([x + dx, y + dy])
  }
  return points
}

function away([x, y]: Point, { left, top, right, bottom }: Box): number {
  return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom))
}

it('a name leaves its clump visible and stays close to it', () => {
  const at: Point = [400, 300], points = clump(at, 50)
  const [box] = new NameSpots().place([name('refund', at)], SCREEN, counting(points), RULES)
  if (box === null || box === undefined) throw new Error('it has no place')
  expect(points.some((point) => inside(point, box))).toBe(false)
  expect(away(at, box)).toBeLessThan(70)
})

it('names of neighbours never lie on each other, nor beyond the edge', () => {
  const places: Point[] = [[30, 300], [60, 310], [90, 290], [60, 330], [60, 270], [795, 5]]
  const names = places.map((at, i) => name(`class ${i}`, at))
  const boxes = new NameSpots().place(names, SCREEN, counting(clump([60, 300], 60)), RULES).filter((box) => box !== null)
  expect(boxes).toHaveLength(places.length)
  for (const [i, a] of boxes.entries()) {
    expect(inside([a.left, a.top], SCREEN) && inside([a.right, a.bottom], SCREEN)).toBe(true)
    for (const b of boxes.slice(i + 1)) expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false)
  }
})

it('the name of what is not on the screen is not written', () => {
  expect(new NameSpots().place([name('refund', [-20, 300])], SCREEN, counting([]), RULES)).toEqual([null])
})

it('a name does not jump when another place becomes a little better', () => {
  const spots = new NameSpots(), at: Point = [400, 300]
  const top = (points: readonly Point[]): number | undefined => spots.place([name('refund', at)], SCREEN, counting(points), RULES)[0]?.top
  const first = top([]), second = top(clump([400, 285], 10))
  expect(second).not.toBe(first)
  expect(top([])).toBe(second)
})

it('a name goes along with its clump while the map is panned, and leaves the edge again', () => {
  const spots = new NameSpots(), points = clump([400, 300], 30)
  const place = (x: number, panned: boolean): Box => {
    const box = spots.place([name('refund', [x, 300])], SCREEN, counting(points), { ...RULES, panned })[0]
    if (box === null || box === undefined) throw new Error('it has no place')
    return box
  }
  const first = place(400, false), second = place(430, true)
  expect([second.left - first.left, second.top - first.top]).toEqual([30, 0])
  expect(place(790, true).right).toBeLessThanOrEqual(SCREEN.right)
  expect(away([400, 300], place(400, true))).toBeLessThan(70)
})

it('a name that stood far off comes back while the map is panned, as soon as there is room', () => {
  const spots = new NameSpots(), at: Point = [400, 300], rules = { ...RULES, panned: true }
  const place = (points: readonly Point[]): number => away(at, spots.place([name('refund', at)], SCREEN, counting(points), rules)[0] as Box)
  expect(place(clump(at, 80))).toBeGreaterThan(40)
  expect(place([])).toBeLessThan(40)
})

it('a name that stood farther off than names may now does not stay there', () => {
  const spots = new NameSpots(), at: Point = [400, 300], points = clump(at, 80)
  const place = (farthest: number): number => away(at, spots.place([name('refund', at)], SCREEN, counting(points), { ...RULES, farthest })[0] as Box)
  expect(place(200)).toBeGreaterThan(60)
  expect(place(50)).toBeLessThan(60)
})

it('of many names only so many are written, none of them far from its clump', () => {
  const names = Array.from({ length: 100 }, (_, i) => name(`class ${i}`, [400 + (i % 10), 300 + Math.floor(i / 10)]))
  const written = (rules: Partial<typeof RULES>): Box[] => new NameSpots().place(names, SCREEN, counting([]), { ...RULES, ...rules }).filter((box) => box !== null)
  expect(written({ most: 5 })).toHaveLength(5)
  const close = written({ farthest: 50 })
  expect(close.length).toBeLessThan(written({}).length)
  for (const box of close) expect(away([404, 304], box)).toBeLessThan(60)
})
