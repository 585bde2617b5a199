/** What lies over the points: rings, rims, names of classes, and the outline that is being drawn. */

import { toScreen, type Point, type View } from './camera'
import type { Grid } from './grid'
import type { ShownMarks } from './marks'
import type { Motion } from './motion'
import type { Name } from './names'
import { NameWriter } from './nameWriter'
import { Outlines } from './outlines'
import { Sprites, type Ring } from './sprites'
import { humanPixels, lookPixels, type Look } from './style'

export interface Colours {
  readonly background: string
  readonly text: string
  readonly accent: string
  readonly warning: string
  /** CSS family of the names. */
  readonly font: string
}

/** Rows to mark, by kind; those that come first are kept when there are too many in view. */
export interface Marks extends ShownMarks {
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
  /** Pixels of the left edge that the toolbar covers. */
  readonly tools: number
  readonly points: () => Grid
  readonly drawing: Drawing | null
  /** CSS pixels of a usual point. */
  readonly size: number
  /** Of the current item; null where it is not drawn. */
  readonly look: Look | null
  /** 0..1, where the pulse of the current item is; null = it rests. */
  readonly pulse: number | null
}

/** One kind of mark draws so many at most: the rest would only cover the map. */
const MOST_MARKS = 2000
const MANY_RINGS = 400
/** More than these are outlined finer: they stand out by the others being dim. */
const FEW_SELECTED = 20
/** The current item is seen though a selection dims it. */
const LEAST_CURRENT_ALPHA = 0.55
/** Free of others around the current item. */
const CASING_PIXELS = 2
const FULL = 2 * Math.PI

export class Overlay {
  private readonly context: CanvasRenderingContext2D
  private readonly sprites = new Sprites()
  private readonly outlines: Outlines
  private readonly names: NameWriter
  private ratio = 1

  /** inMemory: there is no graphics card, so the canvas is not to be drawn by a make-believe one. */
  constructor(private readonly canvas: HTMLCanvasElement, inMemory: boolean) {
    const context = canvas.getContext('2d', { willReadFrequently: inMemory })
    if (context === null) throw new Error('this browser has no canvas')
    this.context = context
    this.outlines = new Outlines(this.sprites, inMemory)
    this.names = new NameWriter(context)
  }

  resize(width: number, height: number): void {
    this.ratio = Math.min(2, window.devicePixelRatio || 1)
    this.sprites.setRatio(this.ratio)
    this.canvas.width = Math.max(1, Math.round(width * this.ratio))
    this.canvas.height = Math.max(1, Math.round(height * this.ratio))
    this.outlines.resize(this.canvas.width, this.canvas.height)
  }

  paint(scene: Scene, colours: Colours, now: number): void {
    const { context } = this
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0)
    context.clearRect(0, 0, scene.view.width, scene.view.height)
    this.paintMarks(scene, colours, now)
    this.names.write(scene.names, scene.view, scene.tools, scene.points, scene.size, colours)
    if (scene.drawing !== null) this.paintDrawing(scene.drawing, scene, colours, now)
  }

  private paintMarks(scene: Scene, colours: Colours, now: number): void {
    const { marks } = scene, usual = Math.max(1.5, scene.size / 2), human = humanPixels(scene.size) / 2
    const { background, text, accent, warning } = colours
    if (marks.current !== null && scene.look !== null) this.paintPoint(this.at(marks.current, scene, now), scene.look, scene.size, background)
    this.paintOdd(this.inView(marks.odd, scene, now), usual, colours)
    this.stamp(this.inView(marks.setAside, scene, now), this.sprites.cross(usual + 2, text, 1.4))
    this.outline(this.inView(marks.dimHuman, scene, now), { radius: human * 0.6 + 0.9, colour: text, width: 1, alpha: 0.3 })
    const labelled = this.inView(marks.human, scene, now), pending = this.inView(marks.pending, scene, now)
    if (labelled.length > MANY_RINGS) this.outline(labelled, { radius: human + 0.4, colour: text, width: 1, alpha: 0.75 })
    else this.outline(labelled, { radius: human + 0.9, colour: text, width: 1.2, alpha: 1, casing: { colour: background, width: 3.6 } })
    this.outline(pending, { radius: human + 4, colour: text, width: 1.3, alpha: 1, dash: [2.5, 2] })
    this.outline(this.inView(marks.found, scene, now), { radius: usual + 2.5, colour: warning, width: 1.6, alpha: 0.9 })
    const few = marks.selected.length <= FEW_SELECTED
    this.outline(this.inView(marks.selected, scene, now), { radius: usual + 2, colour: text, width: few ? 1.2 : 1, alpha: few ? 0.9 : 0.6 })
    if (marks.hovered !== null) this.rings([this.at(marks.hovered, scene, now)], { radius: usual + 4, colour: accent, width: 2, alpha: 1 })
    if (marks.pinned !== null) this.rings([this.at(marks.pinned, scene, now)], { radius: usual + 5, colour: accent, width: 2.5, alpha: 1, casing: { colour: background, width: 6 } })
    if (marks.current !== null) this.paintCurrent(this.at(marks.current, scene, now), usual, scene.pulse, colours)
  }

  /** Again, over the crowd that it may lie under: who looks at one item sees its colour. */
  private paintPoint([x, y]: Point, look: Look, size: number, background: string): void {
    const { context } = this, radius = lookPixels(look, size) / 2
    this.disc(x, y, radius + CASING_PIXELS, background)
    context.globalAlpha = Math.max(look.alpha, LEAST_CURRENT_ALPHA)
    this.disc(x, y, radius, `rgb(${look.colour.join(' ')})`)
    context.globalAlpha = 1
  }

  private disc(x: number, y: number, radius: number, colour: string): void {
    const { context } = this
    context.fillStyle = colour
    context.beginPath()
    context.arc(x, y, radius, 0, FULL)
    context.fill()
  }

  private paintOdd(places: readonly Point[], usual: number, { text, background }: Colours): void {
    if (places.length > MANY_RINGS) this.outline(places, { radius: usual + 1.8, colour: text, width: 0.9, alpha: 0.6 })
    else this.outline(places, { radius: usual + 2.6, colour: text, width: 1, alpha: 0.8, casing: { colour: background, width: 2.2 } })
  }

  private paintCurrent(at: Point, usual: number, pulse: number | null, { accent, background }: Colours): void {
    const radius = Math.max(11, usual + 7)
    this.rings([at], { radius, colour: accent, width: 2.5, alpha: 1, dash: [5, 4], casing: { colour: background, width: 5 } })
    if (pulse === null) return
    const { context } = this
    context.globalAlpha = 1 - pulse
    context.strokeStyle = accent
    context.lineWidth = 2
    context.beginPath()
    context.arc(at[0], at[1], radius + 14 * pulse, 0, FULL)
    context.stroke()
    context.globalAlpha = 1
  }

  /** Rings that melt into one line where they meet: a crowd of marks must not hide what it marks. */
  private outline(places: readonly Point[], ring: Ring): void {
    if (places.length === 0) return
    const { context } = this
    context.setTransform(1, 0, 0, 1, 0, 0)
    this.outlines.draw(context, places, ring, this.ratio)
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0)
  }

  private rings(places: readonly Point[], ring: Ring): void {
    if (places.length > 0) this.stamp(places, this.sprites.ring(ring))
  }

  /** Copies a small picture onto places. */
  private stamp(places: readonly Point[], sprite: OffscreenCanvas): void {
    const { context } = this, half = sprite.width / 2
    context.setTransform(1, 0, 0, 1, 0, 0)
    for (const [x, y] of places) context.drawImage(sprite, Math.round(x * this.ratio - half), Math.round(y * this.ratio - half))
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0)
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
      this.rings(this.inView(Uint32Array.from(drawing.touched), scene, now), { radius: scene.size / 2 + 1.5, colour: colours.accent, width: 1.5, alpha: 1 })
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
