/** What lies over the points: rings, rims, names of classes, and the outline that is being drawn. */

import { toScreen, type Point, type View } from './camera'
import type { Motion } from './motion'
import type { Name } from './names'

export interface Colours {
  readonly background: string
  readonly text: string
  readonly accent: string
  readonly warning: string
}

/** Rows to mark, by kind; those that come first are kept when there are too many in view. */
export interface Marks {
  /** s_OOD above the threshold. */
  readonly odd: Uint32Array
  readonly human: Uint32Array
  /** Labels that Label Studio has not confirmed. */
  readonly pending: Uint32Array
  readonly setAside: Uint32Array
  readonly selected: Uint32Array
  readonly found: Uint32Array
  readonly hovered: number | null
  readonly pinned: number | null
  readonly current: number | null
}

export type Drawing =
  | { readonly kind: 'lasso'; readonly outline: readonly Point[] }
  | { readonly kind: 'rectangle'; readonly from: Point; readonly to: Point }
  | { readonly kind: 'brush'; readonly at: Point; readonly radius: number; readonly touched: readonly number[] }

export interface Scene {
  readonly view: View
  readonly motion: Motion
  readonly marks: Marks
  readonly names: readonly Name[]
  readonly drawing: Drawing | null
  /** CSS pixels of a usual point. */
  readonly size: number
  /** 0..1, where the pulse of the current item is; null = it rests. */
  readonly pulse: number | null
}

/** One kind of mark draws so many at most: the rest would only cover the map. */
const MOST_MARKS = 2000
const FULL = 2 * Math.PI

export class Overlay {
  private readonly context: CanvasRenderingContext2D
  private ratio = 1

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('this browser has no canvas')
    this.context = context
  }

  resize(width: number, height: number): void {
    this.ratio = Math.min(2, window.devicePixelRatio || 1)
    this.canvas.width = Math.max(1, Math.round(width * this.ratio))
    this.canvas.height = Math.max(1, Math.round(height * this.ratio))
  }

  paint(scene: Scene, colours: Colours, now: number): void {
    const { context } = this
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0)
    context.clearRect(0, 0, scene.view.width, scene.view.height)
    this.paintMarks(scene, colours, now)
    this.paintNames(scene, colours)
    if (scene.drawing !== null) this.paintDrawing(scene.drawing, scene, colours, now)
  }

  private paintMarks(scene: Scene, colours: Colours, now: number): void {
    const { marks, size } = scene, { context } = this
    const usual = Math.max(1.5, size / 2), human = usual * 1.8
    const setAside = this.inView(marks.setAside, scene, now), odd = this.inView(marks.odd, scene, now)
    // A ring in the colour of the text on a casing in that of the ground: seen on any point.
    this.circles(odd, usual + 3.5, colours.background, 3.5, 0.75)
    this.circles(odd, usual + 3.5, colours.text, 1.5, 0.85)
    this.crosses(setAside, usual + 2, colours.text)
    const labelled = this.inView(marks.human, scene, now)
    this.circles(labelled, human, colours.background, 3, 1)
    this.circles(labelled, human + 1, colours.text, 1.2, 1)
    context.setLineDash([2, 2])
    this.circles(this.inView(marks.pending, scene, now), human + 3.5, colours.text, 1.2, 1)
    context.setLineDash([])
    this.circles(this.inView(marks.found, scene, now), usual + 2.5, colours.warning, 1.5, 0.9)
    if (marks.selected.length <= MOST_MARKS) this.circles(this.inView(marks.selected, scene, now), usual + 1.5, colours.accent, 1.2, 0.9)
    if (marks.hovered !== null) this.circles([this.at(marks.hovered, scene, now)], usual + 4, colours.accent, 2, 1)
    if (marks.pinned !== null) {
      this.circles([this.at(marks.pinned, scene, now)], usual + 5, colours.background, 5, 1)
      this.circles([this.at(marks.pinned, scene, now)], usual + 5, colours.accent, 2.5, 1)
    }
    if (marks.current !== null) this.paintCurrent(this.at(marks.current, scene, now), usual, scene.pulse, colours)
  }

  private paintCurrent(at: Point, usual: number, pulse: number | null, colours: Colours): void {
    const { context } = this, radius = Math.max(11, usual + 7)
    this.circles([at], radius, colours.background, 5, 0.9)
    context.setLineDash([5, 4])
    this.circles([at], radius, colours.accent, 2.5, 1)
    context.setLineDash([])
    if (pulse !== null) this.circles([at], radius + 14 * pulse, colours.accent, 2, 1 - pulse)
  }

  private paintNames({ names, view }: Scene, colours: Colours): void {
    const { context } = this
    context.font = '600 12px system-ui, sans-serif'
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.lineJoin = 'round'
    const taken: { left: number; right: number; y: number }[] = []
    for (const { text, x, y } of names) {
      const [sx, sy] = toScreen(view, x, y), half = context.measureText(text).width / 2 + 4
      if (sx < half || sx > view.width - half || sy < 12 || sy > view.height - 12) continue
      if (taken.some((other) => Math.abs(other.y - sy) < 17 && other.left < sx + half && other.right > sx - half)) continue
      taken.push({ left: sx - half, right: sx + half, y: sy })
      context.globalAlpha = 0.86
      context.strokeStyle = colours.background
      context.lineWidth = 4
      context.strokeText(text, sx, sy)
      context.globalAlpha = 1
      context.fillStyle = colours.text
      context.fillText(text, sx, sy)
    }
  }

  private paintDrawing(drawing: Drawing, scene: Scene, colours: Colours, now: number): void {
    const { context } = this
    context.beginPath()
    if (drawing.kind === 'lasso') {
      drawing.outline.forEach(([x, y], i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)))
      context.closePath()
    } else if (drawing.kind === 'rectangle') {
      const [x, y] = drawing.from, [x2, y2] = drawing.to
      context.rect(Math.min(x, x2), Math.min(y, y2), Math.abs(x2 - x), Math.abs(y2 - y))
    } else {
      this.circles(this.inView(Uint32Array.from(drawing.touched.slice(-MOST_MARKS)), scene, now), scene.size / 2 + 1.5, colours.accent, 1.5, 1)
      context.beginPath()
      context.arc(drawing.at[0], drawing.at[1], drawing.radius, 0, FULL)
    }
    context.globalAlpha = 0.12
    context.fillStyle = colours.accent
    context.fill('nonzero')
    context.globalAlpha = 1
    context.strokeStyle = colours.background
    context.lineWidth = 4
    context.stroke()
    context.strokeStyle = colours.accent
    context.lineWidth = 2
    context.stroke()
  }

  private circles(places: readonly Point[], radius: number, colour: string, width: number, alpha: number): void {
    if (places.length === 0) return
    const { context } = this
    context.strokeStyle = colour
    context.lineWidth = width
    context.globalAlpha = alpha
    context.beginPath()
    for (const [x, y] of places) {
      context.moveTo(x + radius, y)
      context.arc(x, y, radius, 0, FULL)
    }
    context.stroke()
    context.globalAlpha = 1
  }

  private crosses(places: readonly Point[], arm: number, colour: string): void {
    const { context } = this
    context.strokeStyle = colour
    context.lineWidth = 1.4
    context.beginPath()
    for (const [x, y] of places) {
      context.moveTo(x - arm, y - arm)
      context.lineTo(x + arm, y + arm)
      context.moveTo(x - arm, y + arm)
      context.lineTo(x + arm, y - arm)
    }
    context.stroke()
  }

  private at(row: number, { motion, view }: Scene, now: number): Point {
    const [x, y] = motion.placeOf(row, now)
    return toScreen(view, x, y)
  }

  private inView(rows: Uint32Array, scene: Scene, now: number): Point[] {
    const { view } = scene, found: Point[] = []
    for (const row of rows) {
      const point = this.at(row, scene, now)
      if (point[0] < -10 || point[1] < -10 || point[0] > view.width + 10 || point[1] > view.height + 10) continue
      found.push(point)
      if (found.length === MOST_MARKS) break
    }
    return found
  }
}
