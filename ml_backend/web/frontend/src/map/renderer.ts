/** What draws the points, and which of the two ways is taken. */

import { wantedRenderer } from '../address'
import type { View } from './camera'
import { CanvasRenderer } from './canvasRenderer'
import type { Motion } from './motion'
import type { Rgb } from './palette'
import type { PointStyle } from './style'

/** Draws points; picking, outlines and rings are the stage's. */
export interface MapRenderer {
  readonly kind: 'gl' | 'canvas'
  /** CSS pixels. */
  resize: (width: number, height: number) => void
  setBackground: (colour: Rgb) => void
  /** Places and where they move; (n, 2) with the n of the style that follows or came before. */
  setMotion: (motion: Motion) => void
  setStyle: (style: PointStyle) => void
  /** Shows the points at a moment; `painted` is called once they are on the canvas. size: of a usual point, CSS pixels. */
  draw: (view: View, size: number, now: number) => void
  destroy: () => void
}

export interface Host {
  readonly canvas: HTMLCanvasElement
  readonly painted: () => void
  /** The graphics card took the context away: all is to be made anew. */
  readonly lost: () => void
}

/** A renderer for the host. `?renderer=cpu` and `?renderer=gl` override what the machine can do. */
export async function chooseRenderer(host: Host): Promise<MapRenderer> {
  if (wantedRenderer !== 'cpu' && (wantedRenderer === 'gl' || hasGraphicsCard())) {
    try {
      const { GlRenderer } = await import('./glRenderer')
      return await GlRenderer.make(host)
    } catch (error) {
      console.warn('The map is drawn without WebGL:', error)
      return new CanvasRenderer(fresh(host))
    }
  }
  return new CanvasRenderer(host)
}

/** A canvas on which no other kind of context was made. */
function fresh(host: Host): Host {
  const canvas = host.canvas.cloneNode() as HTMLCanvasElement
  host.canvas.replaceWith(canvas)
  return { ...host, canvas }
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render|microsoft basic/i

/** Software GL is slower than drawing on a plain canvas. */
function hasGraphicsCard(): boolean {
  const canvas = document.createElement('canvas')
  const gl = canvas.getContext('webgl', { failIfMajorPerformanceCaveat: true })
  if (gl === null) return false
  const names = gl.getExtension('WEBGL_debug_renderer_info')
  const name = String(gl.getParameter(names === null ? gl.RENDERER : names.UNMASKED_RENDERER_WEBGL))
  const able = gl.getExtension('OES_texture_float') !== null && gl.getExtension('WEBGL_color_buffer_float') !== null
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return able && !SOFTWARE.test(name)
}
