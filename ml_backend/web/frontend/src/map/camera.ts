/** Where the map is looked at from: pixels of the screen and places of the map, [-1, 1] in both directions, y up. */

export interface View {
  /** The place in the middle of the screen. */
  readonly x: number
  readonly y: number
  /** 1 = the whole map fits. */
  readonly zoom: number
  /** CSS pixels. */
  readonly width: number
  readonly height: number
}

export type Point = readonly [number, number]

export const LEAST_ZOOM = 0.5
export const MOST_ZOOM = 50
const MARGIN = 0.94
/** A map of few items that lie close together is not blown up further. */
const MOST_HOME_ZOOM = 4

export function homeView(width: number, height: number): View {
  return { x: 0, y: 0, zoom: 1, width, height }
}

/** All of the places on a screen of this size; the whole map where there are none. skip: 1 for rows that are left out; tools: pixels of the left edge that the toolbar covers. */
export function viewOfAll(places: Float32Array, skip: Uint8Array | null, width: number, height: number, tools: number): View {
  const home = homeView(width, height)
  let left = Infinity, right = -Infinity, bottom = Infinity, top = -Infinity
  for (let i = 0; i + 1 < places.length; i += 2) {
    if (skip?.[i / 2] === 1) continue
    const x = places[i] ?? 0, y = places[i + 1] ?? 0
    if (x < left) left = x
    if (x > right) right = x
    if (y < bottom) bottom = y
    if (y > top) top = y
  }
  const span = Math.max((right - left) / Math.max(1, width - tools), (top - bottom) / height)
  if (!(span > 0)) return home
  const unit = (MARGIN * Math.min(width, height)) / 2
  const zoom = Math.min(MOST_HOME_ZOOM, Math.max(1, 0.92 / (span * unit)))
  return { ...home, x: (left + right) / 2 - tools / 2 / (unit * zoom), y: (bottom + top) / 2, zoom }
}

/** Whether two views show the same, all but a little. */
export function alike(a: View, b: View): boolean {
  const close = 0.04 / b.zoom
  return Math.abs(Math.log(a.zoom / b.zoom)) < 0.04 && Math.abs(a.x - b.x) < close && Math.abs(a.y - b.y) < close
}

/** Pixels per unit of the map. */
export function pixelsPerUnit(view: View): number {
  return (view.zoom * MARGIN * Math.min(view.width, view.height)) / 2
}

export function toScreen(view: View, x: number, y: number): Point {
  const k = pixelsPerUnit(view)
  return [view.width / 2 + (x - view.x) * k, view.height / 2 - (y - view.y) * k]
}

export function toPlace(view: View, sx: number, sy: number): Point {
  const k = pixelsPerUnit(view)
  return [view.x + (sx - view.width / 2) / k, view.y - (sy - view.height / 2) / k]
}

/** What the screen shows: [left, bottom, right, top] in places. */
export function visibleBox(view: View): readonly [number, number, number, number] {
  const [left, top] = toPlace(view, 0, 0), [right, bottom] = toPlace(view, view.width, view.height)
  return [left, bottom, right, top]
}

export function panned(view: View, dx: number, dy: number): View {
  const k = pixelsPerUnit(view)
  return within({ ...view, x: view.x - dx / k, y: view.y + dy / k })
}

/** The place under (sx, sy) stays where it is. */
export function zoomed(view: View, factor: number, sx: number, sy: number): View {
  const zoom = clampZoom(view.zoom * factor)
  const [x, y] = toPlace(view, sx, sy)
  const next = { ...view, zoom }
  const [nx, ny] = toPlace(next, sx, sy)
  return within({ ...next, x: view.x + x - nx, y: view.y + y - ny })
}

/** Another size of the screen; what is in the middle stays there. */
export function resized(view: View, width: number, height: number): View {
  return { ...view, width, height }
}

/** Shows a box of places with a margin. A single place is shown at least at `leastZoom`. */
export function fitting(view: View, box: readonly [number, number, number, number], leastZoom: number): View {
  const [left, bottom, right, top] = box
  const span = Math.max((right - left) / view.width, (top - bottom) / view.height)
  const unit = (MARGIN * Math.min(view.width, view.height)) / 2
  const zoom = span > 0 ? 0.8 / (span * unit) : Infinity
  const most = span > 0 ? 16 : Math.max(leastZoom, view.zoom)
  return within({ ...view, x: (left + right) / 2, y: (bottom + top) / 2, zoom: clampZoom(Math.min(zoom, most)) })
}

/** Between two views, t from 0 to 1; the zoom goes by equal factors. */
export function between(from: View, to: View, t: number): View {
  const zoom = from.zoom * (to.zoom / from.zoom) ** t
  // The middle follows the zoom, so that the flight keeps its target in sight.
  const moved = from.zoom === to.zoom ? t : (1 / from.zoom - 1 / zoom) / (1 / from.zoom - 1 / to.zoom)
  return { ...to, zoom, x: from.x + (to.x - from.x) * moved, y: from.y + (to.y - from.y) * moved }
}

export function eased(t: number): number {
  return t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2
}

function clampZoom(zoom: number): number {
  return Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, zoom))
}

/** The middle never leaves the map by far. */
function within(view: View): View {
  const clamp = (value: number): number => Math.min(1.2, Math.max(-1.2, value))
  return { ...view, x: clamp(view.x), y: clamp(view.y) }
}
