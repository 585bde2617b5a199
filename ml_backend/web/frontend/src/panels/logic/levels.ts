/** Byte columns, 0..255 for 0..1, and thresholds on them. */

/** How many values are at least `least` (0..1). */
export function atLeast(values: Uint8Array, least: number): number {
  const limit = Math.round(least * 255)
  let n = 0
  for (const value of values) if (value >= limit) n++
  return n
}

/** Smallest and largest value, 0..255; both 0 without values. */
export function rangeOf(values: Uint8Array): readonly [number, number] {
  let least = 255, most = 0
  for (const value of values) {
    if (value < least) least = value
    if (value > most) most = value
  }
  return values.length > 0 ? [least, most] : [0, 0]
}

/** The lowest level (0..255) that at most this share of the values reaches; 256 where even the largest has too many. */
export function levelFor(values: Uint8Array, share: number): number {
  const counts = new Uint32Array(256)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  let reached = 0, level = 256
  while (level > 0) {
    reached += counts[level - 1] ?? 0
    if (reached > share * values.length) break
    level--
  }
  return level
}
