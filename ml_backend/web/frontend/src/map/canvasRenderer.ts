/** Draws the points pixel by pixel, without a graphics card: the same picture on every machine. */

import { pixelsPerUnit, type View } from './camera'
import { Motion } from './motion'
import type { Rgb } from './palette'
import type { Host, MapRenderer } from './renderer'
import { stamp, type Stamp } from './stamp'
import { lookPixels, type Look, type PointStyle } from './style'

/** Above this many device pixels the picture is drawn coarser. */
const MOST_PIXELS = 3_000_000
const NOTHING: Look = { colour: [0, 0, 0], alpha: 0, size: 1, least: 0 }
const EMPTY: PointStyle = { looks: [], look: new Uint16Array(), order: new Uint32Array(), isDim: () => false }

export class CanvasRenderer implements MapRenderer {
  readonly kind = 'canvas'
  private readonly context: CanvasRenderingContext2D
  private picture: ImageData | null = null
  private pixels = new Uint32Array()
  private ratio = 1
  private background = 0xffffffff
  private motion = Motion.still(new Float32Array())
  private style = EMPTY
  private stamps: (Stamp | undefined)[] = []
  private size = 0

  constructor(private readonly host: Host) {
    const context = host.canvas.getContext('2d', { alpha: false, willReadFrequently: true })
    if (context === null) throw new Error('this browser has no canvas')
    this.context = context
  }

  resize(width: number, height: number): void {
    const wanted = Math.min(2, window.devicePixelRatio || 1)
    this.ratio = width * height * wanted * wanted > MOST_PIXELS ? 1 : wanted
    const { canvas } = this.host
    canvas.width = Math.max(1, Math.round(width * this.ratio))
    canvas.height = Math.max(1, Math.round(height * this.ratio))
    this.picture = this.context.createImageData(canvas.width, canvas.height)
    this.pixels = new Uint32Array(this.picture.data.buffer)
    this.stamps = []
  }

  setBackground([r, g, b]: Rgb): void {
    this.background = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0
  }

  setMotion(motion: Motion): void {
    this.motion = motion
  }

  setStyle(style: PointStyle): void {
    this.style = style
    this.stamps = []
  }

  draw(view: View, size: number, now: number): void {
    if (this.picture === null) return
    if (size !== this.size) {
      this.size = size
      this.stamps = []
    }
    this.pixels.fill(this.background)
    this.splat(view, this.motion.at(now))
    this.context.putImageData(this.picture, 0, 0)
    this.host.painted()
  }

  destroy(): void {
    this.picture = null
    this.pixels = new Uint32Array()
  }

  private splat(view: View, places: Float32Array): void {
    const { order, look } = this.style
    if (places.length < 2 * look.length) return // the style is of other points: it follows
    const { canvas } = this.host
    const width = canvas.width, height = canvas.height, pixels = this.pixels
    const k = pixelsPerUnit(view) * this.ratio
    const left = width / 2 - view.x * k, top = height / 2 + view.y * k
    for (let i = 0; i < order.length; i++) {
      const row = order[i] as number
      const x = Math.round(left + (places[2 * row] as number) * k - 0.5), y = Math.round(top - (places[2 * row + 1] as number) * k - 0.5)
      if (x < -16 || y < -16 || x >= width + 16 || y >= height + 16) continue
      const mark = this.stampOf(look[row] as number, width)
      const reach = mark.reach
      if (x >= reach && y >= reach && x < width - reach && y < height - reach) press(pixels, y * width + x, mark)
      else pressAtEdge(pixels, width, height, x, y, mark)
    }
  }

  private stampOf(index: number, width: number): Stamp {
    const known = this.stamps[index]
    if (known !== undefined) return known
    const look = this.style.looks[index] ?? NOTHING
    const made = stamp(look.colour, look.alpha, lookPixels(look, this.size) * this.ratio, width)
    this.stamps[index] = made
    return made
  }
}

/** Blends a stamp over the pixels around `at`; two channels at a time. */
function press(pixels: Uint32Array, at: number, { offsets, rest, redBlue, green }: Stamp): void {
  for (let j = 0; j < offsets.length; j++) {
    const place = at + (offsets[j] as number), below = pixels[place] as number, left = rest[j] as number
    const rb = ((((redBlue[j] as number) + Math.imul(below & 0xff00ff, left)) | 0) >>> 8) & 0xff00ff
    const g = (((green[j] as number) + (below & 0xff00) * left) >>> 8) & 0xff00
    pixels[place] = 0xff000000 | rb | g
  }
}

function pressAtEdge(pixels: Uint32Array, width: number, height: number, x: number, y: number, { dx, dy, rest, redBlue, green }: Stamp): void {
  for (let j = 0; j < rest.length; j++) {
    const px = x + (dx[j] as number), py = y + (dy[j] as number)
    if (px < 0 || py < 0 || px >= width || py >= height) continue
    const place = py * width + px, below = pixels[place] as number, left = rest[j] as number
    const rb = ((((redBlue[j] as number) + Math.imul(below & 0xff00ff, left)) | 0) >>> 8) & 0xff00ff
    const g = (((green[j] as number) + (below & 0xff00) * left) >>> 8) & 0xff00
    pixels[place] = 0xff000000 | rb | g
  }
}
