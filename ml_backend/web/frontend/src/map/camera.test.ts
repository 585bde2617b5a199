import { expect, it } from 'vitest'
import { between, fitting, homeView, MOST_ZOOM, panned, resized, toPlace, toScreen, visibleBox, zoomed } from './camera'

const home = homeView(800, 600)

it('the whole map is in sight at home', () => {
  const [left, bottom, right, top] = visibleBox(home)
  expect(Math.max(left, bottom)).toBeLessThan(-1)
  expect(Math.min(right, top)).toBeGreaterThan(1)
})

it('screen and places are each other’s way back, y up', () => {
  const view = { ...home, x: 0.2, y: -0.1, zoom: 3 }
  const [x, y] = toPlace(view, ...toScreen(view, 0.3, 0.4))
  expect(x).toBeCloseTo(0.3)
  expect(y).toBeCloseTo(0.4)
  expect(toScreen(view, 0.3, 0.5)[1]).toBeLessThan(toScreen(view, 0.3, 0.4)[1])
})

it('what is under the pointer stays there while zooming', () => {
  const before = toPlace(home, 500, 200), after = toPlace(zoomed(home, 3, 500, 200), 500, 200)
  expect(after[0]).toBeCloseTo(before[0])
  expect(after[1]).toBeCloseTo(before[1])
  expect(zoomed(home, 1e9, 400, 300).zoom).toBe(MOST_ZOOM)
})

it('a drag moves the map with the pointer', () => {
  const at = toScreen(panned(home, 30, -20), 0, 0)
  expect(at[0]).toBeCloseTo(430)
  expect(at[1]).toBeCloseTo(280)
})

it('what is fitted is in sight, and one point is shown close', () => {
  const view = fitting(home, [0.2, 0.1, 0.4, 0.5], 4)
  const [left, bottom, right, top] = visibleBox(view)
  expect(left).toBeLessThan(0.2)
  expect(bottom).toBeLessThan(0.1)
  expect(right).toBeGreaterThan(0.4)
  expect(top).toBeGreaterThan(0.5)
  expect(fitting(home, [0.3, 0.3, 0.3, 0.3], 4)).toMatchObject({ x: 0.3, y: 0.3, zoom: 4 })
})

it('a flight starts and ends where it should', () => {
  const to = { ...home, x: 0.5, y: 0.5, zoom: 8 }
  expect(between(home, to, 0)).toMatchObject({ x: 0, y: 0, zoom: 1 })
  expect(between(home, to, 1)).toMatchObject({ x: 0.5, y: 0.5, zoom: 8 })
  expect(between(home, { ...home, x: 0.5 }, 0.5).x).toBeCloseTo(0.25)
})

it('another size of the screen keeps the middle', () => {
  const view = { ...home, x: 0.3, y: 0.2, zoom: 2 }
  expect(toScreen(resized(view, 300, 900), 0.3, 0.2)).toEqual([150, 450])
})
