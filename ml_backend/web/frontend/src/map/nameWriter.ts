/** Writes the names of classes beside their clumps, each behind a square of its colour. */

import { pixelsPerUnit, toPlace, toScreen, type View } from './camera'
import type { Grid } from './grid'
import { namesInView, type Name } from './names'
import { FARTHEST_PIXELS, NameSpots, type Box, type Covered } from './nameSpots'
import { humanPixels } from './style'

export interface Written {
  readonly name: Name
  readonly box: Box
}

/** More of them are written smaller. */
const FEW_NAMES = 20
/** At once; the largest clumps in view come first. */
const MOST_NAMES = 60
/** Names that are tried: some have no room. */
const MOST_TRIED = 120
const FEW_PIXELS = 15
const MANY_PIXELS = 12
const SQUARE_SHARE = 0.66
/** Between the square and the text, in shares of the text's height. */
const SPACE_SHARE = 0.35
const HALO_PIXELS = 4
/** A name that is so far from the middle of its clump is joined to it. */
const LEAD_PIXELS = 40
/** To the edges. */
const EDGE_PIXELS = 2

export interface Colours {
  readonly background: string
  readonly text: string
  /** CSS family. */
  readonly font: string
}

export class NameWriter {
  private readonly spots = new NameSpots()
  /** What places depend on besides the middle of the view, as it was last. */
  private scale: readonly unknown[] = []
  private readonly widths = new Map<string, number>()
  private placed: { readonly key: readonly unknown[]; readonly written: readonly Written[] } = { key: [], written: [] }

  constructor(private readonly context: CanvasRenderingContext2D) {}

  /** tools: pixels of the left edge that the toolbar covers. size: CSS pixels of a usual point. */
  write(names: readonly Name[], view: View, tools: number, points: () => Grid, size: number, colours: Colours): void {
    if (names.length === 0) return
    const { context } = this, pixels = names.length > FEW_NAMES ? MANY_PIXELS : FEW_PIXELS
    context.font = `650 ${pixels}px ${colours.font}`
    context.textAlign = 'left'
    context.textBaseline = 'middle'
    context.lineJoin = 'round'
    const room = humanPixels(size) / 2 + 1.5, square = Math.round(pixels * SQUARE_SHARE)
    const written = this.layOut(names, view, tools, points(), pixels, room)
    for (const one of written) this.lead(one, view, room)
    for (const { name, box } of written) {
      const middle = (box.top + box.bottom) / 2, left = box.left + room
      const place = [left + square + pixels * SPACE_SHARE, middle] as const
      context.strokeStyle = colours.background
      context.lineWidth = HALO_PIXELS
      context.strokeText(name.text, ...place)
      context.strokeRect(left, middle - square / 2, square, square)
      context.fillStyle = name.colour
      context.fillRect(left, middle - square / 2, square, square)
      context.fillStyle = colours.text
      context.fillText(name.text, ...place)
    }
  }

  /** A thin line from a name that is away from its clump; within the clump its colour makes it vanish. */
  private lead({ name, box }: Written, view: View, room: number): void {
    const [x, y] = toScreen(view, name.x, name.y), { context } = this
    const fromX = Math.min(box.right - room, Math.max(box.left + room, x)), fromY = Math.min(box.bottom - room, Math.max(box.top + room, y))
    if (Math.hypot(fromX - x, fromY - y) < LEAD_PIXELS) return
    context.beginPath()
    context.moveTo(fromX, fromY)
    context.lineTo(x, y)
    context.strokeStyle = name.colour
    context.lineWidth = 1.2
    context.stroke()
  }

  /** Of the context's font; measuring is slower than remembering. */
  private textWidth(text: string): number {
    const key = `${this.context.font} ${text}`, known = this.widths.get(key) ?? this.context.measureText(text).width
    this.widths.set(key, known)
    return known
  }

  /** Nothing is looked for again while only marks change. */
  private layOut(names: readonly Name[], view: View, tools: number, grid: Grid, pixels: number, room: number): readonly Written[] {
    const key = [names, view, tools, grid, pixels, room]
    if (key.some((part, i) => part !== this.placed.key[i])) this.placed = { key, written: this.look(names, view, tools, grid, pixels, room) }
    return this.placed.written
  }

  private look(names: readonly Name[], view: View, tools: number, grid: Grid, pixels: number, room: number): Written[] {
    const screen = { left: tools + EDGE_PIXELS, top: EDGE_PIXELS, right: view.width - EDGE_PIXELS, bottom: view.height - EDGE_PIXELS }
    const shown = namesInView(names, view, screen, MOST_TRIED)
    const wanted = shown.map(({ text, x, y }) => ({
      text,
      at: toScreen(view, x, y),
      width: this.textWidth(text) + pixels * (SQUARE_SHARE + SPACE_SHARE) + 2 * room,
      height: pixels + 2 * room,
    }))
    const scale = [names, grid, view.zoom, view.width, view.height, pixels, room]
    const panned = scale.every((part, i) => part === this.scale[i])
    this.scale = scale
    const farthest = names.length > MOST_NAMES ? FARTHEST_PIXELS.crowded : FARTHEST_PIXELS.usual
    const boxes = this.spots.place(wanted, screen, covered(view, grid), { panned, farthest, most: MOST_NAMES })
    return shown.flatMap((name, i) => {
      const box = boxes[i]
      return box === null || box === undefined ? [] : [{ name, box }]
    })
  }
}

function covered(view: View, grid: Grid): Covered {
  const unit = pixelsPerUnit(view)
  return ({ left, top, right, bottom }, limit) => {
    const [x, y] = toPlace(view, left, bottom)
    return grid.count(x, y, x + (right - left) / unit, y + (bottom - top) / unit, limit)
  }
}
