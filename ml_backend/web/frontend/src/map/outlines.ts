/** One line around what many rings enclose: where marked points lie close, no ring covers the colour of another point. */

import type { Point } from './camera'
import type { Ring, Sprites } from './sprites'

export class Outlines {
  private readonly layer: OffscreenCanvas
  private readonly context: OffscreenCanvasRenderingContext2D

  /** inMemory: as of the canvas that is drawn on. */
  constructor(private readonly sprites: Sprites, inMemory: boolean) {
    this.layer = new OffscreenCanvas(1, 1)
    const context = this.layer.getContext('2d', { willReadFrequently: inMemory })
    if (context === null) throw new Error('this browser has no canvas')
    this.context = context
  }

  /** Device pixels, as of the canvas that is drawn on. */
  resize(width: number, height: number): void {
    this.layer.width = width
    this.layer.height = height
  }

  /** Draws on a context without transformation. ratio: device pixels per CSS pixel. */
  draw(onto: CanvasRenderingContext2D, places: readonly Point[], ring: Ring, ratio: number): void {
    const { context, layer } = this
    context.globalCompositeOperation = 'source-over'
    context.clearRect(0, 0, layer.width, layer.height)
    // Casings first: between two rings that touch, neither may cut the other.
    if (ring.casing !== undefined) this.stamp(places, this.sprites.ring({ ...ring, ...ring.casing, casing: undefined, dash: undefined, alpha: 1 }), ratio)
    this.stamp(places, this.sprites.ring({ ...ring, casing: undefined, alpha: 1 }), ratio)
    context.globalCompositeOperation = 'destination-out'
    this.stamp(places, this.sprites.disc(ring.radius - ring.width / 2), ratio)
    onto.globalAlpha = ring.alpha
    onto.drawImage(layer, 0, 0)
    onto.globalAlpha = 1
  }

  private stamp(places: readonly Point[], sprite: OffscreenCanvas, ratio: number): void {
    const half = sprite.width / 2
    for (const [x, y] of places) this.context.drawImage(sprite, Math.round(x * ratio - half), Math.round(y * ratio - half))
  }
}
