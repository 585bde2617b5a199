/** Draws the points on the graphics card with regl-scatterplot, which also moves them there.
 *
 * The library draws only: its own camera, lasso and picking stay unused, so that both renderers behave alike. A point
 * carries one category (its look), which colour, size and opacity all go by.
 */

import createScatterplot, { createRenderer, createSpatialIndex } from 'regl-scatterplot'
import { pixelsPerUnit, type View } from './camera'
import { Motion } from './motion'
import type { Rgb } from './palette'
import type { Host, MapRenderer } from './renderer'
import { lookPixels, type PointStyle } from './style'

type Scatterplot = ReturnType<typeof createScatterplot>
type Drawer = ReturnType<typeof createRenderer>

/** Ends a movement early: its easing then says that it is over. */
interface Pace {
  motion: Motion
}

export class GlRenderer implements MapRenderer {
  readonly kind = 'gl'
  private motion = Motion.still(new Float32Array())
  private style: PointStyle | null = null
  private size = 0
  private shownStyle: PointStyle | null = null
  private shownMotion: Motion | null = null
  private shownSize = 0
  private drawing = false
  private over = false
  private view: View | null = null
  /** Draw order of the points on the card, and the arrays that hold them. */
  private points: [number, number, number][] = []

  private constructor(private readonly host: Host, private readonly drawer: Drawer, private readonly plot: Scatterplot, private readonly noIndex: ArrayBuffer) {
    plot.subscribe('drawing', () => host.painted())
    drawer.canvas.addEventListener('webglcontextlost', (event) => {
      event.preventDefault()
      if (!this.over) host.lost()
    })
  }

  static async make(host: Host): Promise<GlRenderer> {
    const { width, height } = host.canvas.getBoundingClientRect()
    // By itself the library draws on a canvas of the window's size, more than the map needs.
    const drawer = createRenderer({ canvas: document.createElement('canvas') })
    drawer.resize(Math.max(1, width), Math.max(1, height))
    const plot = createScatterplot({
      renderer: drawer,
      canvas: host.canvas,
      width: Math.max(1, width),
      height: Math.max(1, height),
      // All of these together, always: one that is left over makes points invisible.
      colorBy: 'valueZ', sizeBy: 'valueZ', opacityBy: 'valueZ',
      pointColor: [[0, 0, 0, 1]], pointSize: [1], opacity: [1],
      pointScaleMode: 'constant', pointSizeSelected: 0, pointOutlineWidth: 0,
      lassoInitiator: false, lassoOnLongPress: false, deselectOnEscape: false, deselectOnDblClick: false, showReticle: false,
      lassoInitiatorParentElement: host.canvas.parentElement ?? document.body, lassoLongPressIndicatorParentElement: host.canvas.parentElement ?? document.body,
    })
    if (!drawer.isSupported) {
      plot.destroy()
      drawer.destroy()
      throw new Error('WebGL lacks an extension that the points need')
    }
    // Finding points is the stage's: the library gets an index of one point instead of building its own.
    return new GlRenderer(host, drawer, plot, await createSpatialIndex([[0, 0]]))
  }

  resize(width: number, height: number): void {
    this.drawer.resize(Math.max(1, width), Math.max(1, height))
    this.drawer.refresh()
    void this.plot.set({ width: Math.max(1, width), height: Math.max(1, height) })
    if (this.view !== null) this.draw(this.view, this.size)
  }

  setBackground([r, g, b]: Rgb): void {
    void this.plot.set({ backgroundColor: [r / 255, g / 255, b / 255, 1] })
  }

  setMotion(motion: Motion): void {
    this.motion = motion
    void this.bringUp()
  }

  setStyle(style: PointStyle): void {
    this.style = style
    void this.bringUp()
  }

  draw(view: View, size: number): void {
    this.view = view
    this.size = size
    if (size !== this.shownSize && this.shownStyle !== null) this.setLooks(this.shownStyle, size)
    const scale = (2 * pixelsPerUnit(view)) / view.height
    this.plot.view([scale, 0, 0, 0, 0, scale, 0, 0, 0, 0, 1, 0, -view.x * scale, -view.y * scale, 0, 1], { preventEvent: true })
  }

  destroy(): void {
    this.over = true
    this.plot.destroy()
    this.drawer.destroy()
  }

  /** Draws what is newest; what comes while the card is busy waits and only the last of it is drawn. */
  private async bringUp(): Promise<void> {
    if (this.drawing) return
    this.drawing = true
    try {
      while (!this.over && this.style !== null && (this.style !== this.shownStyle || this.motion !== this.shownMotion)) {
        const { style, motion } = this
        if (motion.to.length < 2 * style.look.length) return // the style is of other points: it follows
        await this.show(style, motion)
      }
    } finally {
      this.drawing = false
    }
  }

  private async show(style: PointStyle, motion: Motion): Promise<void> {
    const now = performance.now()
    const moves = motion !== this.shownMotion && motion.moves(now) && style.order === this.shownStyle?.order
    this.shownMotion = motion
    if (style !== this.shownStyle) {
      this.shownStyle = style
      this.setLooks(style, this.size)
    }
    this.fill(style, motion.to)
    if (this.points.length === 0) return this.clear()
    const pace: Pace = { motion }
    await this.plot.draw(this.points, {
      zDataType: 'categorical',
      wDataType: 'continuous',
      spatialIndex: this.noIndex,
      ...(moves ? { transition: true, transitionDuration: motion.left(now), transitionEasing: () => pace.motion.share(performance.now(), now) } : {}),
    })
  }

  private clear(): void {
    this.plot.clear()
    this.host.painted()
  }

  private setLooks({ looks }: PointStyle, size: number): void {
    this.shownSize = size
    void this.plot.set({
      colorBy: 'valueZ', sizeBy: 'valueZ', opacityBy: 'valueZ',
      pointColor: looks.map(({ colour: [r, g, b] }) => [r / 255, g / 255, b / 255, 1]),
      pointSize: looks.map((look) => Math.max(0.5, lookPixels(look, size))),
      opacity: looks.map(({ alpha }) => alpha),
    })
  }

  private fill({ order, look }: PointStyle, places: Float32Array): void {
    this.points.length = order.length
    for (let i = 0; i < order.length; i++) {
      const row = order[i] ?? 0
      const x = places[2 * row] ?? 0, y = places[2 * row + 1] ?? 0, z = look[row] ?? 0
      const point = this.points[i]
      if (point === undefined) this.points[i] = [x, y, z]
      else {
        point[0] = x
        point[1] = y
        point[2] = z
      }
    }
  }
}
