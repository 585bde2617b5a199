/** Places that move from one layout to the next. */

import { eased } from './camera'

export class Motion {
  private start = 0
  private ends = 0

  /** from, to: (n, 2). */
  private constructor(private readonly from: Float32Array, readonly to: Float32Array) {}

  static still(places: Float32Array): Motion {
    return new Motion(places, places)
  }

  /** From where the points are now; at once when their number differs or the time is 0. now: of performance.now(). */
  next(to: Float32Array, now: number, milliseconds: number): Motion {
    if (to.length !== this.to.length || to.length === 0 || milliseconds === 0) return Motion.still(to)
    const motion = new Motion(this.at(now), to)
    motion.start = now
    motion.ends = now + milliseconds
    return motion
  }

  moves(now: number): boolean {
    return now < this.ends
  }

  /** Milliseconds until it ends. */
  left(now: number): number {
    return Math.max(0, this.ends - now)
  }

  /** 0..1. */
  progress(now: number): number {
    return this.moves(now) ? eased((now - this.start) / (this.ends - this.start)) : 1
  }

  /** 0..1 of the way that was left at `since`. */
  share(now: number, since: number): number {
    if (!this.moves(now)) return 1
    const done = this.start === since ? 0 : eased((since - this.start) / (this.ends - this.start))
    return done >= 1 ? 1 : (this.progress(now) - done) / (1 - done)
  }

  /** Ends at once: every point is where it goes. */
  finish(): void {
    this.ends = 0
  }

  /** (n, 2) places at a moment. */
  at(now: number): Float32Array {
    if (!this.moves(now)) return this.to
    const t = this.progress(now), out = new Float32Array(this.to.length)
    for (let i = 0; i < out.length; i++) {
      const a = this.from[i] ?? 0
      out[i] = a + ((this.to[i] ?? 0) - a) * t
    }
    return out
  }

  /** One point's place at a moment. */
  placeOf(row: number, now: number): readonly [number, number] {
    const t = this.progress(now)
    const x = this.from[2 * row] ?? 0, y = this.from[2 * row + 1] ?? 0
    return [x + ((this.to[2 * row] ?? 0) - x) * t, y + ((this.to[2 * row + 1] ?? 0) - y) * t]
  }
}
