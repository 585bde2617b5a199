import { describe, expect, it } from 'vitest'
import { emptyColumns, NO_CLASS, type Columns } from '../columns'
import { CLASS_COLOURS, greyOf, rampColours, rgbOf } from './palette'
import { lookPixels, pointSize, STATUS, stylePoints, sureStep, type Look, type StyleInput, usualRange } from './style'

function columnsOf(parts: { class: number[]; status: number[]; confidence?: number[]; s_ood?: number[]; changed?: number[]; component?: number[] }): Columns {
  const n = parts.class.length
  return {
    ...emptyColumns(n),
    class: Uint16Array.from(parts.class),
    status: Uint8Array.from(parts.status),
    confidence: Uint8Array.from(parts.confidence ?? new Array<number>(n).fill(255)),
    s_ood: Uint8Array.from(parts.s_ood ?? new Array<number>(n).fill(0)),
    changed: Uint8Array.from(parts.changed ?? new Array<number>(n).fill(0)),
    component: Uint32Array.from(parts.component ?? new Array<number>(n).fill(0)),
  }
}

const { propagated, human, none } = STATUS

function style(columns: Columns, more: Partial<StyleInput> = {}): { looks: Look[]; order: number[]; dim: boolean[] } {
  const made = stylePoints({
    columns, mode: 'label', classColours: ['#0072b2', '#e69f00'], hidden: new Set(), filters: { changed: false, statuses: null, minOod: null },
    selected: new Uint32Array(), highlighted: new Uint32Array(), dark: false, ...more,
  })
  const rows = Array.from({ length: columns.n }, (_, row) => row)
  return { looks: rows.map((row) => made.looks[made.look[row] ?? -1] as Look), order: [...made.order], dim: rows.map(made.isDim) }
}

const saturation = ([r, g, b]: readonly number[]): number => Math.max(r ?? 0, g ?? 0, b ?? 0) - Math.min(r ?? 0, g ?? 0, b ?? 0)

describe('what a point is, is seen', () => {
  const { looks } = style(columnsOf({ class: [0, 0, NO_CLASS], status: [human, propagated, none] }))
  const [labelled, spread, unnamed] = looks as [Look, Look, Look]

  it('a person’s label is larger and full', () => {
    expect(lookPixels(labelled, 3)).toBeGreaterThan(1.5 * lookPixels(spread, 3))
    expect(labelled.alpha).toBe(1)
    expect(lookPixels(labelled, 1)).toBe(8)
  })

  it('the class gives the hue, nothing named has none', () => {
    expect(labelled.colour).toEqual(rgbOf('#0072b2'))
    expect(saturation(unnamed.colour)).toBe(0)
    expect(unnamed.size).toBeLessThan(spread.size)
  })
})

it('less sure is paler twice: less opaque and less colourful', () => {
  const { looks } = style(columnsOf({ class: [1, 1, 1], status: [propagated, propagated, propagated], confidence: [255, 128, 0] }))
  const [sure, half, unsure] = looks as [Look, Look, Look]
  expect(sure.alpha).toBeGreaterThan(half.alpha)
  expect(half.alpha).toBeGreaterThan(unsure.alpha)
  expect(unsure.alpha).toBeGreaterThanOrEqual(0.25)
  expect(saturation(sure.colour)).toBeGreaterThan(saturation(half.colour))
  expect(saturation(half.colour)).toBeGreaterThan(saturation(unsure.colour))
  expect([0, 51, 52, 255].map(sureStep)).toEqual([0, 0, 1, 4])
})

it('a person’s label does not pale, whatever the model thinks', () => {
  const { looks } = style(columnsOf({ class: [0, 0], status: [human, human], confidence: [255, 0] }))
  expect(looks[0]).toEqual(looks[1])
})

it('unnamed lie below spread, spread below labelled, and dimmed below all', () => {
  const columns = columnsOf({ class: [0, 0, NO_CLASS, 0], status: [human, propagated, none, human] })
  expect(style(columns).order).toEqual([2, 1, 0, 3])
  expect(style(columns, { selected: Uint32Array.from([1, 2]) }).order).toEqual([0, 3, 2, 1])
})

it('what the legend hides is not drawn', () => {
  const columns = columnsOf({ class: [0, 1, NO_CLASS], status: [propagated, propagated, none] })
  expect(style(columns, { hidden: new Set([1]) }).order).toEqual([2, 0])
  expect(style(columns, { hidden: new Set([NO_CLASS]) }).order).toEqual([0, 1])
})

it('a task that was deleted in Label Studio leaves no point behind, whatever is asked of the map', () => {
  const columns = columnsOf({ class: [0, NO_CLASS, 0], status: [propagated, STATUS.absent, human] })
  expect(style(columns).order).toEqual([0, 2])
  expect(style(columns, { mode: 'component' }).order).toEqual([0, 2])
  expect(style(columns, { selected: Uint32Array.from([1]), filters: { changed: false, statuses: new Set([STATUS.absent]), minOod: null } }).order).toEqual([0, 2])
})

it('selection, search and filters dim the others, none vanishes', () => {
  const columns = columnsOf({ class: [0, 0, 0], status: [human, propagated, propagated], s_ood: [0, 200, 255], changed: [0, 1, 0] })
  const dims = (more: Partial<StyleInput>): boolean[] => style(columns, more).dim
  expect(dims({})).toEqual([false, false, false])
  expect(dims({ selected: Uint32Array.from([2]) })).toEqual([true, true, false])
  expect(dims({ highlighted: Uint32Array.from([0]) })).toEqual([false, true, true])
  expect(dims({ filters: { changed: true, statuses: null, minOod: null } })).toEqual([true, false, true])
  expect(dims({ filters: { changed: false, statuses: new Set([human]), minOod: null } })).toEqual([false, true, true])
  expect(dims({ filters: { changed: false, statuses: null, minOod: 0.9 } })).toEqual([true, true, false])
  const { looks, order } = style(columns, { selected: Uint32Array.from([2]) })
  expect(order).toHaveLength(3)
  expect(looks[1]?.alpha).toBeGreaterThan(0)
  expect(looks[1]?.alpha).toBeLessThan(0.3)
})

it('classes beyond the palette share the server’s grey, and colours follow what somebody chose', () => {
  const many = [...CLASS_COLOURS, '#737373', '#737373']
  const { looks } = style(columnsOf({ class: [24, 25, 0], status: [human, human, human] }), { classColours: many })
  expect(looks[0]).toEqual(looks[1])
  expect(style(columnsOf({ class: [0], status: [human] }), { classColours: ['#123456'] }).looks[0]?.colour).toEqual(rgbOf('#123456'))
})

it('scales go by their values', () => {
  const columns = columnsOf({ class: [0, 0], status: [propagated, propagated], s_ood: [0, 255] })
  const { looks } = style(columns, { mode: 's_ood' })
  const ramp = rampColours('s_ood', false)
  expect(looks[0]?.colour).toEqual(rgbOf(ramp[0] ?? ''))
  expect(looks[1]?.colour).toEqual(rgbOf(ramp[ramp.length - 1] ?? ''))
})

it('deleted tasks do not stretch the scale of how far outside an item is', () => {
  const columns = columnsOf({ class: [0, 0, 0], status: [propagated, propagated, STATUS.absent], s_ood: [100, 200, 0] })
  const { looks } = style(columns, { mode: 's_ood' })
  expect(looks[0]?.colour).toEqual(rgbOf(rampColours('s_ood', false)[0] ?? ''))
})

it('a scale of the distance from the labels spans what most items have', () => {
  const far = Uint8Array.from({ length: 100 }, (_, i) => (i === 0 ? 0 : i === 99 ? 255 : 240 + (i % 10)))
  expect(usualRange(far)).toEqual([240, 249])
  expect(usualRange(new Uint8Array(9).fill(255))[0]).toBeLessThan(255)
  expect(usualRange(new Uint8Array(9))[1]).toBeGreaterThan(0)
})

it('components that follow each other differ', () => {
  const { looks } = style(columnsOf({ class: [0, 0], status: [propagated, propagated], component: [3, 4] }), { mode: 'component' })
  expect(looks[0]?.colour).not.toEqual(looks[1]?.colour)
})

describe('the palette', () => {
  it('has 24 different colours', () => {
    expect(new Set(CLASS_COLOURS).size).toBe(24)
    expect(CLASS_COLOURS.every((colour) => /^#[0-9a-f]{6}$/.test(colour))).toBe(true)
  })

  it.each([[false, 252], [true, 20]])('no end of a scale is lost on its ground (dark %s)', (dark, ground) => {
    for (const mode of ['confidence', 's_ood', 'novelty', 'density']) {
      for (const colour of rampColours(mode, dark)) expect(Math.abs((greyOf(rgbOf(colour))[0] ?? 0) - ground)).toBeGreaterThan(40)
    }
  })

  it('reads no nonsense', () => expect(rgbOf('red')).toEqual([115, 115, 115]))
})

it('points shrink with their number and grow when looked at closely', () => {
  expect(pointSize(1000, 900, 600, 1, 1)).toBeGreaterThan(pointSize(100_000, 900, 600, 1, 1))
  expect(pointSize(100_000, 900, 600, 10, 1)).toBeGreaterThan(pointSize(100_000, 900, 600, 1, 1))
  expect(pointSize(1_000_000, 900, 600, 1, 1)).toBeGreaterThanOrEqual(1)
  expect(pointSize(1, 4000, 3000, 50, 2)).toBeLessThanOrEqual(22)
})
