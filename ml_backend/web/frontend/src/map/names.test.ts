import { expect, it } from 'vitest'
import { emptyColumns } from '../columns'
import { Grid } from './grid'
import { insideOf, rectangle, rowsInside } from './lasso'
import { hiddenRows, lastingMarks } from './marks'
import { homeView, zoomed } from './camera'
import { namesInView, placeNames, type Named } from './names'
import { STATUS } from './style'

function two(): ReturnType<typeof emptyColumns> {
  // Most of class 0 is on the left, a few far to the right: its name belongs to the left.
  const left = 30, right = 5, other = 10, n = left + right + other
  const columns = emptyColumns(n)
  for (let row = 0; row < n; row++) {
    columns.xy[2 * row] = row < left ? -0.5 : 0.6
    columns.xy[2 * row + 1] = row < left + right ? 0.1 : -0.7
    columns.class[row] = row < left + right ? 0 : 1
  }
  return columns
}

const named = (...texts: string[]): Named[] => texts.map((text) => ({ text, colour: '#000000' }))

it('a name stands where its class is densest, not between its parts', () => {
  const [first, second] = placeNames(two(), named('refund', 'fees', 'empty'), new Set())
  expect(first?.text).toBe('refund')
  expect(first?.x).toBeCloseTo(-0.5)
  expect(second?.y).toBeCloseTo(-0.7)
  expect(placeNames(two(), named('refund', 'fees', 'empty'), new Set())).toHaveLength(2)
})

/** 150 classes on a grid of places, each with one item more than the one before. */
function many(): ReturnType<typeof emptyColumns> {
  const classes = Array.from({ length: 150 }, (_, index) => new Array<number>(3 + index).fill(index)).flat()
  const columns = { ...emptyColumns(classes.length), class: Uint16Array.from(classes) }
  classes.forEach((index, row) => columns.xy.set([-0.9 + 0.12 * (index % 15), -0.8 + 0.17 * Math.floor(index / 15)], 2 * row))
  return columns
}

it('of many classes those with the largest clumps in view have names, and the others when one looks closer', () => {
  const names = placeNames(many(), named(...Array.from({ length: 150 }, (_, index) => `class ${index}`)), new Set())
  expect(names).toHaveLength(150)
  const home = homeView(800, 800), screen = { left: 0, top: 0, right: 800, bottom: 800 }
  const shown = namesInView(names, home, screen, 60)
  expect(shown.map(({ items }) => items)).toEqual(Array.from({ length: 60 }, (_, i) => 152 - i))
  const corner = namesInView(names, zoomed(home, 4, 0, 800), screen, 60)
  expect(corner.map(({ text }) => text)).toContain('class 0')
  expect(corner.length).toBeLessThan(60)
})

it('deleted tasks neither give their class a name nor move it', () => {
  const columns = two()
  columns.status.fill(STATUS.absent, 0, 30) // the larger part of class 0
  expect(placeNames(columns, named('refund'), new Set())[0]).toMatchObject({ items: 5, x: expect.closeTo(0.6) as number })
  columns.status.fill(STATUS.absent, 30, 33) // two are left
  expect(placeNames(columns, named('refund'), new Set())).toEqual([])
})

it('of more classes than places are looked for, the largest are among those that have names', () => {
  const few = 1000, classes = [...Array.from({ length: few }, (_, index) => [index, index, index]).flat(), few, few, few, few]
  const columns = { ...emptyColumns(classes.length), class: Uint16Array.from(classes) }
  const names = placeNames(columns, named(...Array.from({ length: few + 1 }, (_, index) => `class ${index}`)), new Set())
  expect(names).toHaveLength(few)
  expect(names[0]).toMatchObject({ text: `class ${few}`, items: 4 })
})

it('hidden classes have no name', () => {
  expect(placeNames(two(), named('refund', 'fees'), new Set([0])).map(({ text }) => text)).toEqual(['fees'])
})

it('rings go to what is outside, the most first; people’s labels have a rim instead', () => {
  const columns = emptyColumns(4)
  columns.s_ood.set([240, 255, 255, 10])
  columns.status.set([STATUS.propagated, STATUS.neverSeen, STATUS.human, STATUS.setAside])
  columns.pending[2] = 1
  const marks = lastingMarks(columns, 0.9, null)
  expect([...marks.odd]).toEqual([1, 0])
  expect([...marks.human]).toEqual([2])
  expect([...marks.pending]).toEqual([2])
  expect([...marks.setAside]).toEqual([3])
  expect([...lastingMarks(columns, 0.9, Uint8Array.from([0, 1, 0, 0])).odd]).toEqual([0])
})

it('a deleted task is met by neither lasso nor pointer, and carries no ring', () => {
  const columns = emptyColumns(3)
  columns.xy.set([0, 0, 0.1, 0, 0.2, 0])
  columns.s_ood.fill(255)
  columns.status[1] = STATUS.absent
  const skip = hiddenRows(columns, new Set()), everywhere = insideOf(rectangle([-1, -1], [1, 1]))
  expect([...rowsInside(columns.xy, everywhere, skip)]).toEqual([0, 2])
  expect(new Grid(columns.xy, skip).nearest(0.1, 0, 0.05)).toBeNull()
  expect([...lastingMarks(columns, 0.9, skip).odd].sort()).toEqual([0, 2])
  expect(hiddenRows(emptyColumns(3), new Set())).toBeNull()
})
