/** How many values of a byte column (0..255 for 0..1) are at least `least` (0..1). */
export function atLeast(values: Uint8Array, least: number): number {
  const limit = least * 255
  let n = 0
  for (const value of values) if (value >= limit) n++
  return n
}
