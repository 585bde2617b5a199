/** Sets of rows as sorted arrays without repeats. */

/** keep: only what is in both. */
export type Change = 'new' | 'add' | 'remove' | 'keep'

/** What is selected after a gesture. Both sorted. */
export function changed(before: Uint32Array, rows: Uint32Array, change: Change): Uint32Array {
  if (change === 'new') return rows
  if (change === 'add') return union(before, rows)
  return difference(before, change === 'remove' ? rows : difference(before, rows))
}

export function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length + b.length)
  let i = 0, j = 0, n = 0
  while (i < a.length || j < b.length) {
    const x = a[i] ?? Infinity, y = b[j] ?? Infinity
    if (x <= y) i++
    if (y <= x) j++
    out[n++] = Math.min(x, y)
  }
  return out.slice(0, n)
}

export function difference(a: Uint32Array, b: Uint32Array): Uint32Array {
  const out = new Uint32Array(a.length)
  let j = 0, n = 0
  for (const x of a) {
    while (j < b.length && (b[j] ?? 0) < x) j++
    if (b[j] !== x) out[n++] = x
  }
  return out.slice(0, n)
}

/** Any order, repeats allowed -> a set. */
export function rowSet(rows: Iterable<number>): Uint32Array {
  const sorted = Uint32Array.from(rows).sort()
  let n = 0
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[n++] = sorted[i] ?? 0
  return sorted.slice(0, n)
}

export function contains(rows: Uint32Array, row: number): boolean {
  let low = 0, high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] ?? 0) < row) low = middle + 1
    else high = middle
  }
  return rows[low] === row
}
