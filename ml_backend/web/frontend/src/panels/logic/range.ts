/** Place of the last value at or above `least`; -1 when none is. values: highest first. */
export function lastAbove(values: readonly number[], least: number): number {
  let low = 0, high = values.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((values[middle] ?? 0) >= least) low = middle + 1
    else high = middle
  }
  return low - 1
}
