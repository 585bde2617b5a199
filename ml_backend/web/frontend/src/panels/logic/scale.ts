/** A slider whose left end is exactly 0 (off) and whose other stops lie on a logarithmic scale. */

export interface LogScale {
  /** Smallest value above 0 and largest value of the slider. */
  readonly least: number
  readonly most: number
  /** Stops of the slider: 0 is off, 1 is `least`, `stops` is `most`. */
  readonly stops: number
}

export const WEIGHT_SCALE: LogScale = { least: 0.001, most: 10, stops: 400 }
export const SMOOTHING_SCALE: LogScale = { least: 0.001, most: 10, stops: 400 }
/** What a number box takes; the slider shows its end for anything larger. */
export const LARGEST_WEIGHT = 1000

/** Slider stop -> value, rounded to two significant digits so that people read round numbers. */
export function valueAt(stop: number, scale: LogScale): number {
  if (stop <= 0) return 0
  const share = (Math.min(stop, scale.stops) - 1) / (scale.stops - 1)
  return rounded(scale.least * (scale.most / scale.least) ** share)
}

/** Value -> the nearest slider stop. */
export function stopOf(value: number, scale: LogScale): number {
  if (!(value > 0)) return 0
  const share = Math.log(value / scale.least) / Math.log(scale.most / scale.least)
  return Math.round(1 + Math.min(1, Math.max(0, share)) * (scale.stops - 1))
}

/** What a person typed -> a weight, or null when it is none. */
export function typedWeight(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && Number.isFinite(value) && value >= 0 && value <= LARGEST_WEIGHT ? value : null
}

/** "0.05", "1", "0 (off)". */
export function weightInWords(value: number): string {
  return value === 0 ? '0 (off)' : String(rounded(value))
}

function rounded(value: number): number {
  return Number(value.toPrecision(2))
}
