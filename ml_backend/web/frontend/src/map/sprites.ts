/** Small marks drawn once and copied many times: a thousand rings in one path are slow to stroke, and slower without a graphics card. */

export interface Ring {
  readonly radius: number
  readonly colour: string
  readonly width: number
  readonly alpha: number
  /** Lengths of dashes and gaps. */
  readonly dash?: readonly number[] | undefined
  /** Drawn below, wider on both sides, so that the ring is seen on any ground. */
  readonly casing?: { readonly colour: string; readonly width: number } | undefined
}

const MOST_KEPT = 64
const FULL = 2 * Math.PI

export class Sprites {
  private readonly kept = new Map<string, OffscreenCanvas>()
  private ratio = 1

  /** Device pixels per CSS pixel. */
  setRatio(ratio: number): void {
    if (ratio !== this.ratio) this.kept.clear()
    this.ratio = ratio
  }

  ring(ring: Ring): OffscreenCanvas {
    return this.made(JSON.stringify(ring), ring.radius + Math.max(ring.width, ring.casing?.width ?? 0), (context) => {
      context.globalAlpha = ring.alpha
      context.beginPath()
      context.arc(0, 0, ring.radius, 0, FULL)
      if (ring.casing !== undefined) {
        context.strokeStyle = ring.casing.colour
        context.lineWidth = ring.casing.width
        context.stroke()
      }
      context.strokeStyle = ring.colour
      context.lineWidth = ring.width
      context.setLineDash([...(ring.dash ?? [])])
      context.stroke()
    })
  }

  disc(radius: number): OffscreenCanvas {
    return this.made(`o${radius}`, radius, (context) => {
      context.beginPath()
      context.arc(0, 0, radius, 0, FULL)
      context.fill()
    })
  }

  cross(arm: number, colour: string, width: number): OffscreenCanvas {
    return this.made(`x${arm} ${colour} ${width}`, arm + width, (context) => {
      context.strokeStyle = colour
      context.lineWidth = width
      context.beginPath()
      context.moveTo(-arm, -arm)
      context.lineTo(arm, arm)
      context.moveTo(-arm, arm)
      context.lineTo(arm, -arm)
      context.stroke()
    })
  }

  private made(key: string, reach: number, draw: (context: OffscreenCanvasRenderingContext2D) => void): OffscreenCanvas {
    const known = this.kept.get(key)
    if (known !== undefined) return known
    const side = 2 * Math.ceil((reach + 1) * this.ratio)
    const canvas = new OffscreenCanvas(side, side), context = canvas.getContext('2d', { willReadFrequently: true })
    if (context !== null) {
      context.setTransform(this.ratio, 0, 0, this.ratio, side / 2, side / 2)
      draw(context)
    }
    if (this.kept.size >= MOST_KEPT) this.kept.clear()
    this.kept.set(key, canvas)
    return canvas
  }
}
