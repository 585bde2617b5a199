/** A disc with a soft edge, ready to be blended over pixels 0xAABBGGRR. */

import type { Rgb } from './palette'

export interface Stamp {
  /** No pixel is further from the middle than this. */
  readonly reach: number
  readonly dx: Int16Array
  readonly dy: Int16Array
  /** dy * width + dx. */
  readonly offsets: Int32Array
  /** 0..256: how much of what lies below stays. */
  readonly rest: Uint16Array
  /** The colour times its share, two channels in one number; and the third. */
  readonly redBlue: Int32Array
  readonly green: Uint32Array
}

/** alpha: 0..1. diameter: device pixels. width: of the picture. */
export function stamp([r, g, b]: Rgb, alpha: number, diameter: number, width: number): Stamp {
  const radius = Math.max(0.5, diameter / 2), reach = Math.ceil(radius)
  const dx: number[] = [], dy: number[] = [], share: number[] = []
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y))) * alpha * Math.min(1, diameter)
      const part = Math.round(256 * cover)
      if (part > 0) {
        dx.push(x)
        dy.push(y)
        share.push(part)
      }
    }
  }
  const red = Math.round(r), blue = Math.round(b), middle = Math.round(g)
  return {
    reach,
    dx: Int16Array.from(dx),
    dy: Int16Array.from(dy),
    offsets: Int32Array.from(dx, (x, i) => (dy[i] ?? 0) * width + x),
    rest: Uint16Array.from(share, (part) => 256 - part),
    redBlue: Int32Array.from(share, (part) => (blue * part * 65536 + red * part) | 0),
    green: Uint32Array.from(share, (part) => middle * part * 256),
  }
}
