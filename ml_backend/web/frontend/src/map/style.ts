/** What each point looks like: columns, colour mode, filters and selection become a table of looks and one index a point. */

import { ABSENT, presentValues } from '../absent'
import { NO_CLASS, type Columns } from '../columns'
import type { ColourMode, Filters } from '../state'
import { CLASS_COLOURS, greyOf, mixed, RAMP_STEPS, rampColours, rgbOf, UNNAMED, type Rgb } from './palette'

export interface Look {
  readonly colour: Rgb
  /** 0..1. */
  readonly alpha: number
  /** Of the size of a usual point. */
  readonly size: number
  /** CSS pixels; never drawn smaller. */
  readonly least: number
}

export interface PointStyle {
  readonly looks: readonly Look[]
  /** (n) index into `looks`. */
  readonly look: Uint16Array
  /** The rows to draw, first to last; neither hidden ones nor those whose task is gone are among them. */
  readonly order: Uint32Array
  /** Whether a row is dimmed, by a selection, a search or a filter. */
  readonly isDim: (row: number) => boolean
}

export interface StyleInput {
  readonly columns: Columns
  readonly mode: ColourMode
  /** Of the classes of the control, "#rrggbb". */
  readonly classColours: readonly string[]
  readonly hidden: ReadonlySet<number>
  readonly filters: Filters
  readonly selected: Uint32Array
  readonly highlighted: Uint32Array
  readonly dark: boolean
}

export const STATUS = { none: 0, propagated: 1, human: 2, neverSeen: 3, setAside: 4, absent: ABSENT } as const

/** Steps of confidence that the eye can tell apart. */
export const SURE_STEPS = 5
const LEAST_ALPHA = 0.38
const MOST_GREY = 0.7
const DIM_ALPHA = 0.15
const NOVELTY_POWER = 5
/** Share of the values at either end of a stretched scale that get its last colour. */
const OUTERMOST = 0.02
const KINDS = 3 // 0 nothing named, 1 propagated, 2 a person's
const SIZES = [0.75, 1, 1.8] as const
const LEAST_HUMAN = 8
const LEAST_DIM_HUMAN = 5

/** One pass over all points. */
export function stylePoints(input: StyleInput): PointStyle {
  const { columns, hidden } = input
  const { n } = columns
  const colours = coloursOf(input)
  const looks = looksOf(colours, input.dark)
  const chosen = marked(n, input.selected, input.highlighted)
  const passes = filterOf(input)
  const place = colourIndex(input, colours.length)
  const bySureness = input.mode === 'label'
  const hides = hidden.size > 0
  const look = new Uint16Array(n), layer = new Uint8Array(n), counts = new Uint32Array(LAYERS + 1)
  for (let row = 0; row < n; row++) {
    const index = columns.class[row] ?? NO_CLASS, status = columns.status[row] ?? 0
    if (status === ABSENT || (hides && hidden.has(index))) {
      layer[row] = LAYERS
      continue
    }
    const kind = status === STATUS.human ? 2 : status === STATUS.propagated ? 1 : 0
    const sure = !bySureness || kind !== 1 ? SURE_STEPS - 1 : sureStep(columns.confidence[row] ?? 0)
    const dim = (chosen !== null && chosen[row] === 0) || !passes(row)
    look[row] = lookIndex(place(row), sure, kind, dim)
    const above = dim ? kind : kind + KINDS
    layer[row] = above
    counts[above] = (counts[above] ?? 0) + 1
  }
  return { looks, look, order: ordered(layer, counts), isDim: (row) => ((look[row] ?? 0) & 1) === 1 }
}

/** 0..SURE_STEPS-1. confidence: 0..255. */
export function sureStep(confidence: number): number {
  return Math.min(SURE_STEPS - 1, Math.floor((confidence / 256) * SURE_STEPS))
}

const LAYERS = 2 * KINDS

/** The rows of layer 0 first; within a layer by their number. */
function ordered(layer: Uint8Array, counts: Uint32Array): Uint32Array {
  const next = new Uint32Array(LAYERS)
  let total = 0
  for (let l = 0; l < LAYERS; l++) {
    next[l] = total
    total += counts[l] ?? 0
  }
  const order = new Uint32Array(total)
  for (let row = 0; row < layer.length; row++) {
    const l = layer[row] ?? LAYERS
    if (l === LAYERS) continue
    const at = next[l] ?? 0
    order[at] = row
    next[l] = at + 1
  }
  return order
}

function lookIndex(colour: number, sure: number, kind: number, dim: boolean): number {
  return ((colour * SURE_STEPS + sure) * KINDS + kind) * 2 + (dim ? 1 : 0)
}

function looksOf(colours: readonly Rgb[], dark: boolean): Look[] {
  const looks: Look[] = []
  for (const colour of colours) {
    for (let sure = 0; sure < SURE_STEPS; sure++) {
      const share = sure / (SURE_STEPS - 1)
      // Alpha alone grows back where points pile up; a colour without hue does not.
      const shown = mixed(mixed(colour, greyOf(colour), MOST_GREY), colour, share)
      const alpha = LEAST_ALPHA + (0.92 - LEAST_ALPHA) * share
      for (let kind = 0; kind < KINDS; kind++) {
        const size = SIZES[kind] ?? 1
        looks.push({ colour: shown, alpha: kind === 2 ? 1 : kind === 0 ? 0.55 : alpha, size, least: kind === 2 ? LEAST_HUMAN : 0 })
        looks.push({ colour: mixed(shown, dark ? [120, 128, 136] : [150, 156, 162], 0.7), alpha: kind === 2 ? 2.2 * DIM_ALPHA : DIM_ALPHA, size: Math.min(size, 1.4), least: kind === 2 ? LEAST_DIM_HUMAN : 0 })
      }
    }
  }
  return looks
}

/** The colours of the mode; the last one is for what has none. */
function coloursOf({ mode, classColours, dark }: StyleInput): Rgb[] {
  const unnamed = rgbOf(dark ? '#8b949c' : UNNAMED)
  if (mode === 'label') return [...distinct(classColours).map(rgbOf), unnamed]
  if (mode === 'component') return [...CLASS_COLOURS.map(rgbOf), unnamed]
  return [...rampColours(mode, dark).map(rgbOf), unnamed]
}

function distinct(colours: readonly string[]): string[] {
  return [...new Set(colours)]
}

/** Row -> index of its colour. */
function colourIndex({ columns, mode, classColours }: StyleInput, colours: number): (row: number) => number {
  const none = colours - 1
  if (mode === 'label') {
    const all = distinct(classColours)
    const places = classColours.map((colour) => all.indexOf(colour))
    return (row) => places[columns.class[row] ?? NO_CLASS] ?? none
  }
  if (mode === 'component') return (row) => (columns.component[row] ?? 0) % CLASS_COLOURS.length
  const values = columns[mode]
  // Novelty is even by nature, a tenth of all items is above 0.9: what matters is its upper end.
  const power = mode === 'novelty' ? NOVELTY_POWER : 1
  // How far outside is told by comparison: with few labels all items are far outside.
  const [least, most] = mode === 's_ood' ? usualRange(presentValues(columns, values)) : [0, 255]
  const share = (value: number): number => Math.min(1, Math.max(0, (value - least) / (most - least))) ** power
  const steps = Uint8Array.from({ length: 256 }, (_, value) => Math.min(RAMP_STEPS - 1, Math.floor(share(value) * RAMP_STEPS)))
  return (row) => steps[values[row] ?? 0] ?? 0
}

/** The levels between which all but the outermost values lie; never the same. */
export function usualRange(values: Uint8Array): readonly [number, number] {
  const counts = new Uint32Array(256)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  const beyond = values.length * OUTERMOST
  let least = 0, most = 255
  for (let below = counts[0] ?? 0; below <= beyond && least < 254; below += counts[least] ?? 0) least++
  for (let above = counts[255] ?? 0; above <= beyond && most > least + 1; above += counts[most] ?? 0) most--
  return [least, most]
}

/** 1 for the rows that stand out; null when none does, so that all look as usual. */
function marked(n: number, selected: Uint32Array, highlighted: Uint32Array): Uint8Array | null {
  if (selected.length === 0 && highlighted.length === 0) return null
  const chosen = new Uint8Array(n)
  for (const row of selected) chosen[row] = 1
  for (const row of highlighted) chosen[row] = 1
  return chosen
}

function filterOf({ columns, filters }: StyleInput): (row: number) => boolean {
  const { changed, statuses, minOod } = filters
  if (!changed && statuses === null && minOod === null) return () => true
  const limit = minOod === null ? -1 : minOod * 255
  return (row) =>
    (!changed || columns.changed[row] === 1) && (statuses === null || statuses.has(columns.status[row] ?? 0)) && (columns.s_ood[row] ?? 0) >= limit
}

/** CSS pixels across. usual: of a usual point. */
export function lookPixels(look: Look, usual: number): number {
  return Math.max(look.least, look.size * usual)
}

/** CSS pixels across a point that a person labelled. */
export function humanPixels(usual: number): number {
  return Math.max(LEAST_HUMAN, SIZES[2] * usual)
}

/** CSS pixels of a usual point: from the room that each of n points has, larger when looked at closely. scale: the person's own. */
export function pointSize(n: number, width: number, height: number, zoom: number, scale: number): number {
  const room = (width * height) / Math.max(1, n)
  const base = Math.min(7, Math.max(n > 300_000 ? 1.2 : 2, 0.9 * room ** 0.45))
  return Math.min(22, base * Math.max(0.7, zoom) ** 0.35 * scale)
}
