/** Colours of the map. */

export type Rgb = readonly [number, number, number]

/** Of classes, in the order of the label config; the server sends the same. Past the last one classes share a grey. */
export const CLASS_COLOURS: readonly string[] = [
  '#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#86e7be', '#715941', '#ef00f7', '#ff8efb', '#a60082', '#209e00',
  '#55929e', '#4df708', '#ba9679', '#ae00be', '#14efef', '#fbc282', '#d2b2c2', '#8679ff', '#9e4900', '#416571', '#00d269', '#28c2ae',
]

export const UNNAMED = '#737373'

export function rgbOf(colour: string): Rgb {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  if (found === null) return [115, 115, 115]
  return [Number.parseInt(found[1] ?? '0', 16), Number.parseInt(found[2] ?? '0', 16), Number.parseInt(found[3] ?? '0', 16)]
}

export function hexOf([r, g, b]: Rgb): string {
  return `#${[r, g, b].map((value) => Math.round(value).toString(16).padStart(2, '0')).join('')}`
}

/** share: 0 = a, 1 = b. */
export function mixed(a: Rgb, b: Rgb, share: number): Rgb {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share]
}

/** As bright as before, without its hue. */
export function greyOf([r, g, b]: Rgb): Rgb {
  const bright = 0.299 * r + 0.587 * g + 0.114 * b
  return [bright, bright, bright]
}

// Low to high. Each runs from quiet to loud on its own background, and no end is the background's colour.
const SEQUENTIAL = { light: ['#c9c4b0', '#a3a976', '#4f9a7f', '#20708c', '#232f6b'], dark: ['#3f4a86', '#2c7c9a', '#4fae8c', '#b3c86a', '#fdf0a0'] }
const WARNING = { light: ['#b9c4cc', '#c9b48f', '#dd8f4a', '#c8502e', '#7d0f2b'], dark: ['#46555f', '#8a6f43', '#d3842f', '#ff8f6b', '#ffd9d0'] }

export const RAMP_STEPS = 32

/** The colours of a scale, low to high. mode: a colour mode with numbers. */
export function rampColours(mode: string, dark: boolean): string[] {
  const theme = dark ? 'dark' : 'light'
  const stops = (mode === 'confidence' || mode === 'density' ? SEQUENTIAL : WARNING)[theme].map(rgbOf)
  return Array.from({ length: RAMP_STEPS }, (_, i) => {
    const at = (i / (RAMP_STEPS - 1)) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2)
    return hexOf(mixed(stops[low] ?? [0, 0, 0], stops[low + 1] ?? [0, 0, 0], at - low))
  })
}
