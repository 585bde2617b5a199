/** The map on the screen: camera, renderer, overlay, and the frames that bring them together. */

import { batch, signal } from '@preact/signals'
import { alike, between, eased, fitting, homeView, resized, toScreen, viewOfAll, visibleBox, type Point, type View } from './camera'
import { Grid } from './grid'
import { hiddenRows, lastingMarks, shownMarks, type LastingMarks, type ShownMarks } from './marks'
import { Motion } from './motion'
import { placeNames, type Name, type Named } from './names'
import { Overlay, type Colours, type Drawing } from './overlay'
import { chooseRenderer, type MapRenderer } from './renderer'
import { pointSize, stylePoints, type Look, type PointStyle, type StyleInput } from './style'
import { backgroundColour, overlayColours, wantsStillness } from './theme'
import { NO_CLASS, type Columns } from '../columns'
import { current, hovered, pinned } from '../state'

const FLIGHT_MILLISECONDS = 450
const TWEEN_MILLISECONDS = 420
const PULSE_MILLISECONDS = 1600
/** Then the current item is found: the map rests. */
const PULSES = 5
/** A single item is shown at least this close. */
const LEAST_FLIGHT_ZOOM = 4
const TOOLS_APART_PIXELS = 2
const NOTHING_HIDDEN: ReadonlySet<number> = new Set()
const NO_MARKS: ShownMarks = { dimHuman: new Uint32Array(), odd: new Uint32Array(), human: new Uint32Array(), pending: new Uint32Array(), setAside: new Uint32Array() }

export const view = signal<View>(homeView(1, 1))
export const rendererKind = signal<'gl' | 'canvas' | null>(null)
/** The person's own size of points, times the usual one. */
export const sizeScale = signal(1)
export const drawing = signal<Drawing | null>(null)

/** What the overlay shows besides the lasting marks. */
export interface Shown {
  readonly selected: Uint32Array
  readonly found: Uint32Array
}

export class Stage {
  private renderer: MapRenderer | null = null
  private overlay: Overlay | null = null
  private colours: Colours = overlayColours()
  private motion = Motion.still(new Float32Array())
  private style: PointStyle | null = null
  private lasting: LastingMarks = NO_MARKS
  private marks = NO_MARKS
  private names: readonly Name[] = []
  private tools = 0
  private skip: Uint8Array | null = null
  private gone: Uint8Array | null = null
  private grid: Grid | null = null
  private shown: Shown = { selected: new Uint32Array(), found: new Uint32Array() }
  private flight: { readonly from: View; readonly to: View; readonly start: number } | null = null
  private request: number | null = null
  private pointsDirty = false
  private pulseStart = -Infinity
  private over = false
  private frames: ((now: number) => void)[] = []
  private readonly resizes: ResizeObserver
  columns: Columns | null = null

  /** host: the element that the points and the overlay fill. */
  constructor(private readonly host: HTMLElement) {
    this.resizes = new ResizeObserver(() => this.resize())
  }

  /** Makes the renderer; the points come with the first columns. */
  async begin(): Promise<void> {
    this.resizes.observe(this.host)
    await this.makeRenderer()
  }

  end(): void {
    this.over = true
    this.resizes.disconnect()
    if (this.request !== null) window.cancelAnimationFrame(this.request)
    this.renderer?.destroy()
  }

  private async makeRenderer(): Promise<void> {
    this.host.replaceChildren()
    const canvas = document.createElement('canvas'), over = document.createElement('canvas')
    this.host.append(canvas)
    const renderer = await chooseRenderer({ canvas, painted: () => this.paintOverlay(performance.now()), lost: () => this.recover() })
    if (this.over) return renderer.destroy()
    this.host.append(over)
    this.overlay = new Overlay(over, renderer.kind === 'canvas')
    this.renderer = renderer
    rendererKind.value = renderer.kind
    renderer.setBackground(backgroundColour())
    this.resize()
    renderer.setMotion(this.motion)
    if (this.style !== null) renderer.setStyle(this.style)
    this.redraw()
  }

  /** The graphics card was taken away: a new context, with all points again. */
  private recover(): void {
    this.renderer?.destroy()
    this.renderer = null
    void this.makeRenderer()
  }

  private resize(): void {
    const { width, height } = this.host.getBoundingClientRect()
    if (width < 1 || height < 1) return
    const wasHome = this.flight === null && this.isHome()
    this.tools = coveredByTools(this.host)
    view.value = resized(view.peek(), width, height)
    if (this.flight !== null) this.flight = { ...this.flight, to: resized(this.flight.to, width, height) }
    if (wasHome) view.value = this.home()
    this.overlay?.resize(width, height)
    this.renderer?.resize(width, height)
    this.redraw()
  }

  setTheme(): void {
    this.colours = overlayColours()
    this.renderer?.setBackground(backgroundColour())
    this.redraw()
  }

  /** New places: the points move there, unless the person wants no movement or is drawing. */
  setPlaces(xy: Float32Array): void {
    const still = wantsStillness() || drawing.peek() !== null, isFirst = this.motion.to.length === 0
    this.keepHome(!isFirst, () => (this.motion = this.motion.next(xy, performance.now(), still ? 0 : TWEEN_MILLISECONDS)))
    this.grid = null
    this.renderer?.setMotion(this.motion)
    this.redraw()
  }

  setStyle(input: StyleInput): void {
    this.columns = input.columns
    this.style = stylePoints(input)
    this.shown = { selected: input.selected, found: input.highlighted }
    this.marks = shownMarks(this.lasting, this.style.isDim)
    this.renderer?.setStyle(this.style)
    this.redraw()
  }

  setHidden(columns: Columns, hidden: ReadonlySet<number>): void {
    this.keepHome(true, () => (this.gone = hiddenRows(columns, NOTHING_HIDDEN)))
    this.skip = hiddenRows(columns, hidden)
    this.grid = null
  }

  /** Who looks at everything goes on doing so, whatever is there after the change. */
  private keepHome(fly: boolean, change: () => void): void {
    const follows = this.isHome() && drawing.peek() === null
    change()
    if (follows && !this.isHome()) this.look(this.home(), fly)
  }

  setMarks(columns: Columns, threshold: number): void {
    this.lasting = lastingMarks(columns, threshold, this.skip)
    this.marks = this.style === null ? NO_MARKS : shownMarks(this.lasting, this.style.isDim)
    this.redraw()
  }

  setNames(columns: Columns, classes: readonly Named[], hidden: ReadonlySet<number>): void {
    this.names = placeNames(columns, classes, hidden)
    this.redraw()
  }

  /** Every point is where it goes: an outline must not chase moving points. */
  stopMoving(): void {
    this.motion.finish()
    this.redraw()
  }

  /** Looks from elsewhere, at once or in a flight. */
  look(next: View, fly: boolean): void {
    const now = performance.now()
    this.flight = fly && !wantsStillness() ? { from: view.peek(), to: next, start: now } : null
    if (this.flight === null) view.value = next
    this.redraw()
  }

  /** The view of all points; of those that the legend hides, too, so that it is the same again when they are back. */
  home(): View {
    const { width, height } = view.peek()
    return viewOfAll(this.motion.to, this.gone, width, height, this.tools)
  }

  /** Whether everything is looked at: then new places change the view, too. */
  isHome(): boolean {
    return alike(this.aim(), this.home())
  }

  /** Where the camera is or flies to. */
  aim(): View {
    return this.flight?.to ?? view.peek()
  }

  /** Shows rows; false when there is none. */
  flyTo(rows: ArrayLike<number>, fly = true): boolean {
    const places = this.motion.to
    let left = Infinity, right = -Infinity, bottom = Infinity, top = -Infinity
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0, x = places[2 * row], y = places[2 * row + 1]
      if (x === undefined || y === undefined) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      bottom = Math.min(bottom, y)
      top = Math.max(top, y)
    }
    if (left > right) return false
    this.look(fitting(view.peek(), [left, bottom, right, top], LEAST_FLIGHT_ZOOM), fly)
    return true
  }

  /** The places that lassos and fingers meet: where points go, not where they are for a moment. */
  get places(): Float32Array {
    return this.motion.to
  }

  /** 1 for rows that are neither drawn nor met. */
  get unseen(): Uint8Array | null {
    return this.skip
  }

  get points(): Grid {
    this.grid ??= new Grid(this.motion.to, this.skip)
    return this.grid
  }

  screenPosition(row: number): Point | null {
    if (2 * row + 1 >= this.motion.to.length) return null
    const [x, y] = this.motion.placeOf(row, performance.now())
    return toScreen(view.peek(), x, y)
  }

  rowsInView(): number[] {
    const [left, bottom, right, top] = visibleBox(view.peek()), places = this.motion.to, rows: number[] = []
    for (let row = 0; row < places.length / 2; row++) {
      const x = places[2 * row] ?? 2, y = places[2 * row + 1] ?? 2
      if (x >= left && x <= right && y >= bottom && y <= top && this.skip?.[row] !== 1) rows.push(row)
    }
    return rows
  }

  /** The colour that a row is drawn in, "r g b alpha"; empty where it is not drawn. */
  colourOf(row: number): string {
    const look = this.lookOf(row)
    return look === null ? '' : [...look.colour.map(Math.round), look.alpha.toFixed(2)].join(' ')
  }

  pointPixels(): number {
    const { width, height, zoom } = view.peek()
    return quantised(pointSize(this.motion.to.length / 2, width, height, zoom, sizeScale.peek()))
  }

  /** Calls back once the points have been painted again. */
  afterFrame(done: (now: number) => void): void {
    this.frames.push(done)
    this.redraw()
  }

  /** Draws the eye to the current item for a while. */
  beginPulse(): void {
    this.pulseStart = performance.now()
    this.retouch()
  }

  /** Points and overlay at the next frame. */
  redraw(): void {
    this.pointsDirty = true
    this.request ??= window.requestAnimationFrame((now) => this.frame(now))
  }

  /** The overlay only. */
  retouch(): void {
    this.request ??= window.requestAnimationFrame((now) => this.frame(now))
  }

  private frame(now: number): void {
    this.request = null
    if (this.over) return
    if (this.flight !== null) {
      const { from, to, start } = this.flight, t = Math.min(1, Math.max(0, (now - start) / FLIGHT_MILLISECONDS))
      batch(() => (view.value = t === 1 ? to : between(from, to, eased(t))))
      if (t === 1) this.flight = null
      this.redraw()
    }
    const moves = this.motion.moves(now)
    const points = this.pointsDirty || moves
    this.pointsDirty = false
    if (points && this.renderer !== null) this.renderer.draw(view.peek(), this.pointPixels(), now)
    else this.paintOverlay(now)
    if (moves || this.flight !== null) this.redraw()
    else if (this.pulses(now)) this.retouch()
  }

  private paintOverlay(now: number): void {
    this.overlay?.paint(
      {
        view: view.peek(),
        motion: this.motion,
        marks: { ...this.marks, ...this.shown, hovered: hovered.peek(), pinned: pinned.peek(), current: current.peek() },
        names: this.names,
        tools: this.tools,
        points: () => this.points,
        drawing: drawing.peek(),
        size: this.pointPixels(),
        look: this.lookOf(current.peek()),
        pulse: this.pulses(now) ? ((now - this.pulseStart) % PULSE_MILLISECONDS) / PULSE_MILLISECONDS : null,
      },
      this.colours,
      now,
    )
    const waiting = this.frames
    this.frames = []
    for (const done of waiting) done(now)
  }

  /** null where it is not drawn. */
  private lookOf(row: number | null): Look | null {
    if (row === null || this.skip?.[row] === 1) return null
    return this.style?.looks[this.style.look[row] ?? NO_CLASS] ?? null
  }

  private pulses(now: number): boolean {
    return current.peek() !== null && now < this.pulseStart + PULSES * PULSE_MILLISECONDS && !wantsStillness()
  }
}

/** Pixels of the left edge; none where the tools are a strip above the map. */
function coveredByTools(host: HTMLElement): number {
  const own = host.getBoundingClientRect(), tools = host.parentElement?.querySelector('.map-tools')?.getBoundingClientRect()
  return tools === undefined || tools.bottom <= own.top ? 0 : tools.right - own.left + TOOLS_APART_PIXELS
}

/** Few sizes, so that zooming does not make all stamps anew with every frame. */
function quantised(size: number): number {
  return 1.06 ** Math.round(Math.log(size) / Math.log(1.06))
}
