/** Pointers and the wheel on the map: drag, draw, pinch, hover, click. */

import { select } from '../actions'
import { embedded } from '../address'
import { columns, hovered, pinned, selection } from '../state'
import { panned, toPlace, pixelsPerUnit, zoomed, type Point } from './camera'
import { changeOf, Gesture, kindOfDrag } from './gestures'
import { say } from './notice'
import { contains } from './rowSets'
import { drawing, view, type Stage } from './stage'

const CLICK_PIXELS = 4
const PICK_PIXELS = 8
const TOUCH_PICK_PIXELS = 16
const HOVER_MILLISECONDS = 120
const WHEEL_STEP = 0.0016

export function listenToPointers(host: HTMLElement, stage: Stage): () => void {
  const fingers = new Fingers(host, stage)
  const listeners: readonly (readonly [string, (event: never) => void, AddEventListenerOptions?])[] = [
    ['pointerdown', (event: PointerEvent) => fingers.down(event)],
    ['pointermove', (event: PointerEvent) => fingers.move(event)],
    ['pointerup', (event: PointerEvent) => fingers.up(event)],
    ['pointercancel', (event: PointerEvent) => fingers.cancel(event)],
    ['pointerleave', () => fingers.gone()],
    ['wheel', (event: WheelEvent) => fingers.wheel(event), { passive: false }],
    ['dblclick', (event: MouseEvent) => fingers.doubleClick(event)],
    ['contextmenu', (event: MouseEvent) => event.preventDefault()],
  ]
  for (const [name, listener, options] of listeners) host.addEventListener(name, listener as EventListener, options)
  const stopCancel = drawing.subscribe((now) => {
    if (now === null) fingers.left()
  })
  return () => {
    stopCancel()
    for (const [name, listener, options] of listeners) host.removeEventListener(name, listener as EventListener, options)
  }
}

class Fingers {
  private readonly touching = new Map<number, Point>()
  private start: Point = [0, 0]
  private last: Point = [0, 0]
  private dragged = false
  private panning = false
  private gesture: Gesture | null = null
  private hover: number | null = null

  constructor(private readonly host: HTMLElement, private readonly stage: Stage) {}

  down(event: PointerEvent): void {
    if (!isOnMap(event)) return
    this.host.focus({ preventScroll: true, focusVisible: false })
    this.host.setPointerCapture(event.pointerId)
    const at = this.place(event)
    this.touching.set(event.pointerId, at)
    this.forget()
    if (this.touching.size === 2) return this.startPinch()
    this.start = this.last = at
    this.dragged = false
    this.panning = kindOfDrag(event) === 'pan'
  }

  move(event: PointerEvent): void {
    const at = this.place(event)
    if (!this.touching.has(event.pointerId)) {
      if (event.buttons === 0) this.hoverSoon(at)
      return
    }
    if (this.touching.size === 2) this.pinch(event.pointerId, at)
    this.touching.set(event.pointerId, at)
    if (this.touching.size !== 1) return
    if (!this.dragged && Math.hypot(at[0] - this.start[0], at[1] - this.start[1]) < CLICK_PIXELS) return
    const begins = !this.dragged
    this.dragged = true
    if (this.panning) this.stage.look(panned(view.peek(), at[0] - this.last[0], at[1] - this.last[1]), false)
    else if (begins) this.beginDrawing(event)
    if (this.gesture !== null) this.gesture.move(this.places(event))
    this.last = at
  }

  up(event: PointerEvent): void {
    if (!this.touching.delete(event.pointerId)) return
    if (this.gesture !== null) {
      const { gesture } = this
      this.gesture = null
      gesture.end()
    } else if (!this.dragged && this.touching.size === 0 && event.button === 0) this.click(event)
    if (this.touching.size > 0) this.dragged = true
  }

  cancel(event: PointerEvent): void {
    this.touching.delete(event.pointerId)
    this.left()
    drawing.value = null
  }

  /** The drawing was left with Esc. */
  left(): void {
    this.gesture = null
  }

  gone(): void {
    this.forget()
  }

  wheel(event: WheelEvent): void {
    const mayZoom = !embedded || event.ctrlKey || event.metaKey || document.activeElement === this.host
    if (!mayZoom) return say('Click the map first, or hold Ctrl, to zoom with the wheel')
    event.preventDefault()
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 300 : 1
    const [x, y] = this.place(event)
    this.forget()
    this.stage.look(zoomed(view.peek(), Math.exp(-event.deltaY * lines * WHEEL_STEP * (event.ctrlKey ? 4 : 1)), x, y), false)
  }

  doubleClick(event: MouseEvent): void {
    if (!isOnMap(event) || this.pick(this.place(event), PICK_PIXELS) !== null) return
    this.stage.look(zoomed(view.peek(), event.shiftKey ? 0.5 : 2, ...this.place(event)), true)
  }

  private beginDrawing(event: PointerEvent): void {
    const kind = kindOfDrag(event)
    if (kind !== 'pan') this.gesture = new Gesture(this.stage, kind, this.start, changeOf(event, kind))
  }

  private click(event: PointerEvent): void {
    const row = this.pick(this.place(event), event.pointerType === 'touch' ? TOUCH_PICK_PIXELS : PICK_PIXELS)
    if (row === null) pinned.value = null
    else if (event.altKey) select([row], 'clicked', 'remove')
    else if (event.shiftKey || event.ctrlKey || event.metaKey) select([row], 'clicked', contains(selection.peek().rows, row) ? 'remove' : 'add')
    else pinned.value = pinned.peek() === row ? null : row
  }

  private pick(at: Point, pixels: number): number | null {
    if (columns.peek().n === 0) return null
    const now = view.peek(), [x, y] = toPlace(now, ...at)
    return this.stage.points.nearest(x, y, Math.max(pixels, this.stage.pointPixels()) / pixelsPerUnit(now))?.row ?? null
  }

  private hoverSoon(at: Point): void {
    if (this.hover !== null) window.clearTimeout(this.hover)
    this.hover = window.setTimeout(() => {
      hovered.value = this.pick(at, PICK_PIXELS)
    }, hovered.peek() === null ? HOVER_MILLISECONDS : HOVER_MILLISECONDS / 3)
  }

  /** No card while one drags, draws or zooms. */
  private forget(): void {
    if (this.hover !== null) window.clearTimeout(this.hover)
    this.hover = null
    hovered.value = null
  }

  private startPinch(): void {
    this.gesture?.cancel()
    this.gesture = null
    this.dragged = true
  }

  private pinch(id: number, at: Point): void {
    const [a, b] = [...this.touching.entries()]
    if (a === undefined || b === undefined) return
    const other = a[0] === id ? b[1] : a[1], before = a[0] === id ? a[1] : b[1]
    const middle: Point = [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2]
    const factor = Math.hypot(at[0] - other[0], at[1] - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1]))
    const moved = panned(view.peek(), (at[0] - before[0]) / 2, (at[1] - before[1]) / 2)
    this.stage.look(zoomed(moved, factor, ...middle), false)
  }

  private place(event: MouseEvent): Point {
    const { left, top } = this.host.getBoundingClientRect()
    return [event.clientX - left, event.clientY - top]
  }

  /** All places since the last event, also those between two frames. */
  private places(event: PointerEvent): Point[] {
    const events = event.getCoalescedEvents?.() ?? []
    return events.length > 0 ? events.map((each) => this.place(each)) : [this.place(event)]
  }
}

/** Not on a button that lies on the map. */
function isOnMap(event: MouseEvent): boolean {
  return !(event.target instanceof Element && event.target.closest('button, input, label, select, .on-map') !== null)
}
