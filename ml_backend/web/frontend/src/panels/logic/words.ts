/** Numbers as people read them. */

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** 12480 -> "12,480". */
export function count(value: number): string {
  return WHOLE.format(value)
}

const SHORT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 0 })

/** 12480 -> "12K", where there is little room and the whole number stands elsewhere. */
export function briefly(value: number): string {
  return SHORT.format(value)
}

/** 1, "item" -> "1 item"; 3, "class", "classes" -> "3 classes". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** 0.824 -> "82%"; what is not quite none or all never reads as 0% or 100%. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–'
  if (share > 0 && share < 0.005) return '<1%'
  if (share < 1 && share >= 0.995) return '>99%'
  return `${Math.round(share * 100)}%`
}

/** 0.91, 0.98 -> "91–98%"; an end that is not quite none or all keeps a decimal: "0.3–99.6%". */
export function range(low: number, high: number): string {
  const end = (share: number): string => String(share > 0 && share < 1 && (share < 0.005 || share >= 0.995) ? Math.min(99.9, Math.max(0.1, Number((100 * share).toFixed(1)))) : Math.round(100 * share))
  return `${end(low)}–${end(high)}%`
}

/** A loss with four significant digits; "–" for none. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  return value === 0 ? '0' : Math.abs(value) >= 1000 ? count(value) : String(Number(value.toPrecision(4)))
}

/** +1.2 / −0.4 with a real minus sign; "0" when nothing changed. */
export function signed(value: number, digits = 3): string {
  const rounded = Number(value.toPrecision(digits))
  if (!Number.isFinite(rounded)) return '–'
  return rounded === 0 ? '0' : rounded > 0 ? `+${rounded}` : `−${-rounded}`
}

/** "just now", "4 min ago", "3 h ago", then the date. */
export function ago(iso: string | null, now: Date): string {
  const then = iso === null ? Number.NaN : Date.parse(iso)
  if (Number.isNaN(then)) return ''
  const seconds = (now.getTime() - then) / 1000
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
  return new Date(then).toISOString().slice(0, 10)
}
