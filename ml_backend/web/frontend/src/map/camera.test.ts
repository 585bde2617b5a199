import { expect, it } from 'vitest'
import { alike, between, fitting, homeView, MOST_ZOOM, panned, resized, toPlace, toScreen, viewOfAll, visibleBox, zoomed } from './camera'

const home = homeView(800, 600)

it('the whole map is in sight at home', () => {
  const [left, bottom, right, top] = visibleBox(home)
  expect(Math.max(left, bottom)).toBeLessThan(-1)
  expect(Math.min(right, top)).toBeGreaterThan(1)
})

it('all points are in sight and fill the screen, right of the tools', () => {
  const places = Float32Array.of(-0.1, 0.2, 0.4, 0.2, 0.1, -0.3)
  for (const [width, height] of [[800, 600], [390, 700], [1200, 500]] as const) {
    const view = viewOfAll(places, null, width, height, 44)
    const at = [0, 1, 2].map((i) => toScreen(view, places[2 * i] ?? 0, places[2 * i + 1] ?? 0))
    const xs = at.map(([x]) => x), ys = at.map(([, y]) => y)
    expect(Math.min(...xs)).toBeGreaterThan(44)
    expect(Math.max(...xs)).toBeLessThan(width)
    expect(Math.min(...ys)).toBeGreaterThan(0)
    expect(Math.max(...ys)).toBeLessThan(height)
    const fills = Math.max((Math.max(...xs) - Math.min(...xs)) / (width - 44), (Math.max(...ys) - Math.min(...ys)) / height)
    expect(fills).toBeGreaterThan(0.85)
  }
  expect(viewOfAll(new Float32Array(), null, 800, 600, 44)).toEqual(home)
  expect(viewOfAll(Float32Array.of(0.5, 0.5), null, 800, 600, 44)).toEqual(home)
})

it('what is deleted has no part in the view of all', () => {
  const places = Float32Array.of(-0.1, 0.2, 0.4, 0.2, 0.1, -0.3)
  expect(viewOfAll(Float32Array.of(-0.9, -0.9, ...places), Uint8Array.of(1, 0, 0, 0), 800, 600, 44)).toEqual(viewOfAll(places, null, 800, 600, 44))
})

it('tells when the view was changed by hand', () => {
  expect(alike(panned(home, 2, 2), home)).toBe(true)
  expect(alike(panned(home, 60, 0), home)).toBe(false)
  expect(alike(zoomed(home, 1.5, 400, 300), home)).toBe(false)
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
