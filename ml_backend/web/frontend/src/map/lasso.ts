/** Which places lie inside a drawn outline, by the non-zero rule: a loop drawn over itself has no hole. */

export type Polygon = readonly (readonly [number, number])[]

const BANDS = 256
/** Beyond this far from a straight line a corner is kept, in the outline's own unit. */
const CORNER_SHARE = 0.5

/** (x, y) -> inside. The outline closes by itself. */
export function insideOf(polygon: Polygon): (x: number, y: number) => boolean {
  const n = polygon.length
  if (n < 3) return () => false
  let left = Infinity, right = -Infinity, bottom = Infinity, top = -Infinity
  for (const [x, y] of polygon) {
    left = Math.min(left, x)
    right = Math.max(right, x)
    bottom = Math.min(bottom, y)
    top = Math.max(top, y)
  }
  // Each band of heights knows the edges that cross it: a million places are tested against a few edges each.
  const perBand = BANDS / (top - bottom || 1)
  const bandOf = (y: number): number => Math.min(BANDS - 1, Math.max(0, Math.floor((y - bottom) * perBand)))
  const bands: number[][] = Array.from({ length: BANDS }, () => [])
  polygon.forEach(([, y], i) => {
    const next = polygon[(i + 1) % n]?.[1] ?? 0
    for (let band = bandOf(Math.min(y, next)); band <= bandOf(Math.max(y, next)); band++) bands[band]?.push(i)
  })
  return (x, y) => {
    if (x < left || x > right || y < bottom || y > top) return false
    let winding = 0
    for (const i of bands[bandOf(y)] ?? []) {
      const a = polygon[i], b = polygon[(i + 1) % n]
      if (a === undefined || b === undefined || a[1] <= y === b[1] <= y) continue
      const side = (b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])
      if (a[1] <= y ? side > 0 : side < 0) winding += a[1] <= y ? 1 : -1
    }
    return winding !== 0
  }
}

/** The rows of (n, 2) places inside, ascending; those for which `skip` is 1 are left out. */
export function rowsInside(places: Float32Array, inside: (x: number, y: number) => boolean, skip: Uint8Array | null): Uint32Array {
  const n = places.length / 2
  const found = new Uint32Array(n)
  let count = 0
  for (let row = 0; row < n; row++) {
    if (skip?.[row] === 1) continue
    if (inside(places[2 * row] ?? 0, places[2 * row + 1] ?? 0)) found[count++] = row
  }
  return found.slice(0, count)
}

export function rectangle(a: readonly [number, number], b: readonly [number, number]): Polygon {
  return [[a[0], a[1]], [b[0], a[1]], [b[0], b[1]], [a[0], b[1]]]
}

/** The same outline with fewer corners: what lies within half a pixel of a straight line goes. In pixels. */
export function simplified(outline: Polygon): Polygon {
  if (outline.length < 4) return outline
  const keep = new Uint8Array(outline.length)
  keep[0] = keep[outline.length - 1] = 1
  const open: (readonly [number, number])[] = [[0, outline.length - 1]]
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    const [first, last] = span
    let far = -1, most = CORNER_SHARE
    for (let i = first + 1; i < last; i++) {
      const distance = fromLine(outline[i], outline[first], outline[last])
      if (distance > most) {
        most = distance
        far = i
      }
    }
    if (far >= 0) {
      keep[far] = 1
      open.push([first, far], [far, last])
    }
  }
  return outline.filter((_, i) => keep[i] === 1)
}

type Place = readonly [number, number] | undefined

function fromLine(p: Place, a: Place, b: Place): number {
  if (p === undefined || a === undefined || b === undefined) return 0
  const dx = b[0] - a[0], dy = b[1] - a[1], length = Math.hypot(dx, dy)
  return length === 0 ? Math.hypot(p[0] - a[0], p[1] - a[1]) : Math.abs(dx * (p[1] - a[1]) - dy * (p[0] - a[0])) / length
}
