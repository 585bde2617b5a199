/** Finds points near a place: places are sorted into the cells of a grid once, then only close cells are looked at. */

const LEAST_CELLS = 8
const MOST_CELLS = 512
const POINTS_A_CELL = 4

export class Grid {
  private readonly cells: number
  private readonly starts: Uint32Array
  private readonly rows: Uint32Array

  /** places: (n, 2) within [-1, 1]. skip: 1 for rows that are never found. */
  constructor(private readonly places: Float32Array, skip: Uint8Array | null) {
    const n = places.length / 2
    this.cells = Math.min(MOST_CELLS, Math.max(LEAST_CELLS, Math.ceil(Math.sqrt(n / POINTS_A_CELL))))
    const starts = new Uint32Array(this.cells * this.cells + 1)
    const cell = new Uint32Array(n)
    for (let row = 0; row < n; row++) {
      const at = this.line(places[2 * row + 1] ?? 0) * this.cells + this.line(places[2 * row] ?? 0)
      cell[row] = at
      if (skip?.[row] !== 1) starts[at + 1] = (starts[at + 1] ?? 0) + 1
    }
    for (let i = 1; i < starts.length; i++) starts[i] = (starts[i] ?? 0) + (starts[i - 1] ?? 0)
    const next = starts.slice()
    this.rows = new Uint32Array(starts[starts.length - 1] ?? 0)
    for (let row = 0; row < n; row++) {
      if (skip?.[row] === 1) continue
      const at = cell[row] ?? 0, place = next[at] ?? 0
      this.rows[place] = row
      next[at] = place + 1
    }
    this.starts = starts
  }

  /** Calls `found` with every row within the radius and the square of its distance. */
  around(x: number, y: number, radius: number, found: (row: number, squared: number) => void): void {
    const limit = radius * radius
    const left = this.line(x - radius), right = this.line(x + radius)
    for (let line = this.line(y - radius); line <= this.line(y + radius); line++) {
      const from = this.starts[line * this.cells + left] ?? 0, to = this.starts[line * this.cells + right + 1] ?? 0
      for (let i = from; i < to; i++) {
        const row = this.rows[i] ?? 0
        const dx = (this.places[2 * row] ?? 0) - x, dy = (this.places[2 * row + 1] ?? 0) - y
        const squared = dx * dx + dy * dy
        if (squared <= limit) found(row, squared)
      }
    }
  }

  /** The nearest row within the radius, or null; and how many others are that close. */
  nearest(x: number, y: number, radius: number): { readonly row: number; readonly others: number } | null {
    let best = -1, least = Infinity, n = 0
    this.around(x, y, radius, (row, squared) => {
      n++
      if (squared < least) {
        least = squared
        best = row
      }
    })
    return best < 0 ? null : { row: best, others: n - 1 }
  }

  /** How many rows lie in a box of places; at most the limit. */
  count(left: number, bottom: number, right: number, top: number, limit: number): number {
    const first = this.line(left), last = this.line(right)
    let n = 0
    for (let line = this.line(bottom); line <= this.line(top); line++) {
      const from = this.starts[line * this.cells + first] ?? 0, to = this.starts[line * this.cells + last + 1] ?? 0
      for (let i = from; i < to; i++) {
        const row = this.rows[i] ?? 0, x = this.places[2 * row] ?? 0, y = this.places[2 * row + 1] ?? 0
        if (x < left || x > right || y < bottom || y > top) continue
        if (++n === limit) return n
      }
    }
    return n
  }

  /** Cell of a coordinate. */
  private line(value: number): number {
    return Math.min(this.cells - 1, Math.max(0, Math.floor(((value + 1) / 2) * this.cells)))
  }
}
