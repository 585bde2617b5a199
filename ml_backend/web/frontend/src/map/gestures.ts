/** Drawing on the map: an outline, a box or a brush becomes a selection when the pointer is let go. */

import { select } from '../actions'
import { columns, mode as chosenMode, selection, type Mode } from '../state'
import { pixelsPerUnit, toPlace, type Point } from './camera'
import { insideOf, rectangle, rowsInside, simplified, type Polygon } from './lasso'
import { say } from './notice'
import type { Change } from './rowSets'
import { drawing, view, type Stage } from './stage'

const LEAST_STEP_PIXELS = 3
/** Up to so many points the rows inside are counted while one draws. */
const LIVE_COUNT_POINTS = 300_000
const COUNT_EVERY_MILLISECONDS = 120
export const BRUSH_PIXELS = { least: 6, usual: 22, most: 120 }

let brushRadius = BRUSH_PIXELS.usual

export function growBrush(factor: number): void {
  brushRadius = Math.min(BRUSH_PIXELS.most, Math.max(BRUSH_PIXELS.least, brushRadius * factor))
  const now = drawing.peek()
  if (now?.kind === 'brush') drawing.value = { ...now, radius: brushRadius }
  else say(`Brush of ${Math.round(2 * brushRadius)} pixels`)
}

/** One gesture, from the first touch on. */
export class Gesture {
  private readonly touched = new Set<number>()
  private counted = 0

  constructor(private readonly stage: Stage, private readonly kind: Exclude<Mode, 'pan'>, start: Point, readonly change: Change) {
    stage.stopMoving()
    if (kind === 'lasso') drawing.value = { kind, outline: [start] }
    else if (kind === 'rectangle') drawing.value = { kind, from: start, to: start }
    else this.brush(start)
  }

  move(points: readonly Point[]): void {
    const now = drawing.peek(), last = points[points.length - 1]
    if (now === null || last === undefined) return // left with Esc
    if (now.kind === 'rectangle') drawing.value = { ...now, to: last }
    else if (now.kind === 'brush') this.sweepAlong([now.at, ...points])
    else drawing.value = { kind: 'lasso', outline: extended(now.outline, points) }
    this.count()
  }

  /** Makes the selection. */
  end(): void {
    const now = drawing.peek()
    drawing.value = null
    if (now === null) return
    const rows = now.kind === 'brush' ? [...this.touched] : this.inside(now.kind === 'lasso' ? now.outline : rectangle(now.from, now.to))
    if (rows.length === 0) {
      say(this.change === 'new' ? 'There is no point inside: nothing changed.' : 'There is no point inside.')
      return
    }
    select(rows, WORDS[this.kind], this.change)
    const n = this.change === 'keep' ? selection.peek().rows.length : rows.length
    say(`${n.toLocaleString('en')} ${DONE[this.change]}`)
  }

  cancel(): void {
    drawing.value = null
  }

  private inside(outline: Polygon): Uint32Array {
    const polygon = simplified(outline).map(([x, y]) => toPlace(view.peek(), x, y))
    return rowsInside(this.stage.places, insideOf(polygon), this.stage.unseen)
  }

  private sweepAlong(points: readonly Point[]): void {
    points.slice(1).forEach((point, i) => this.sweep(points[i] ?? point, point))
  }

  /** Everything that the brush passes over, however fast it is drawn. */
  private sweep(from: Point, to: Point): void {
    const steps = Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / (brushRadius / 2))
    for (let i = 1; i <= steps; i++) this.brush([from[0] + ((to[0] - from[0]) * i) / steps, from[1] + ((to[1] - from[1]) * i) / steps])
  }

  private brush(at: Point): void {
    const radius = brushRadius, now = view.peek()
    const [x, y] = toPlace(now, ...at)
    this.stage.points.around(x, y, radius / pixelsPerUnit(now), (row) => this.touched.add(row))
    drawing.value = { kind: 'brush', at, radius, touched: [...this.touched].slice(-2000) }
  }

  private count(): void {
    const now = drawing.peek(), time = performance.now()
    if (now === null || columns.peek().n > LIVE_COUNT_POINTS || time - this.counted < COUNT_EVERY_MILLISECONDS) return
    this.counted = time
    const n = now.kind === 'brush' ? this.touched.size : this.inside(now.kind === 'lasso' ? now.outline : rectangle(now.from, now.to)).length
    say(`${n.toLocaleString('en')} inside`)
  }
}

const DONE: Readonly<Record<Change, string>> = { new: 'selected', add: 'added', remove: 'taken out', keep: 'kept' }
const WORDS: Readonly<Record<Exclude<Mode, 'pan'>, string>> = { lasso: 'lasso', rectangle: 'rectangle', brush: 'brush' }

function extended(outline: readonly Point[], points: readonly Point[]): Point[] {
  const next = [...outline]
  for (const point of points) {
    const last = next[next.length - 1]
    if (last === undefined || Math.hypot(point[0] - last[0], point[1] - last[1]) >= LEAST_STEP_PIXELS) next.push(point)
  }
  return next
}

/** What a drag does: in Pan, Shift draws a lasso all the same. */
export function kindOfDrag(event: PointerEvent): Mode {
  const kind = chosenMode.peek()
  // -1 while the pointer moves: what the button is was seen when it went down.
  if (event.button > 0) return 'pan'
  return kind === 'pan' && event.shiftKey ? 'lasso' : kind
}

export function changeOf(event: PointerEvent | MouseEvent, kind: Mode): Change {
  // Shift is what draws in Pan, so there it does not add.
  const adds = (event.shiftKey && !(kind === 'lasso' && chosenMode.peek() === 'pan')) || event.ctrlKey || event.metaKey
  if (event.altKey) return adds ? 'keep' : 'remove'
  return adds ? 'add' : 'new'
}
