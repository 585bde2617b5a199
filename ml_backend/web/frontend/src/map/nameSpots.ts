/** Where on the screen the names of classes are written: close to their clump, on as few points as can be, never on each other. */

import type { Point } from './camera'

/** CSS pixels; y goes down. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Wanted {
  readonly text: string
  /** The middle of the clump. */
  readonly at: Point
  readonly width: number
  readonly height: number
}

export interface Rules {
  /** Since the last time nothing but the middle of the view has changed. */
  readonly panned: boolean
  /** Pixels from its clump. */
  readonly farthest: number
  /** Names at once. */
  readonly most: number
}

/** How many points lie in a box; counting may end at the limit. */
export type Covered = (box: Box, limit: number) => number

/** One covered point is as bad as so many pixels further away, four as twice as many: the first that are hidden are missed most. */
const PIXELS_A_POINT = 32
const MOST_COUNTED = 64
/** As bad is a place that is closer to the middle of another clump. */
const STRANGER_PIXELS = 28
/** From the middle of the clump to the nearest edge of its name; where there are very many names a long way would cross others. */
export const FARTHEST_PIXELS = { usual: 200, crowded: 100 }
const STEP_PIXELS = 8
/** A name stays where it was unless another place is better by so much: it must not jump about while the map is zoomed. */
const STAYING_PIXELS = 24
/** So close to its clump a name stays for as long as the map is only panned: nothing about its place is another then. */
const CLOSE_PIXELS = 40
/** Between two names. */
const APART_PIXELS = 3

interface Spot {
  readonly dx: number
  readonly dy: number
  readonly gap: number
  /** Above is where names are looked for first, then below, then to either side. */
  readonly cost: number
}

const DIRECTIONS: readonly (readonly [number, number, number])[] = [
  [0, -1, 0], [0, 1, 5], [1, 0, 9], [-1, 0, 9],
  [0.7, -0.7, 4], [-0.7, -0.7, 4], [0.7, 0.7, 7], [-0.7, 0.7, 7],
  [0.4, -0.9, 2], [-0.4, -0.9, 2], [0.4, 0.9, 6], [-0.4, 0.9, 6],
]
const SPOTS = spots()

/** Cheapest first, so that looking ends where no other spot can be better. */
function spots(): readonly Spot[] {
  const found: Spot[] = []
  for (let gap = 0; gap <= FARTHEST_PIXELS.usual; gap += STEP_PIXELS) {
    for (const [dx, dy, bias] of DIRECTIONS) found.push({ dx, dy, gap, cost: gap + bias })
  }
  return found.sort((a, b) => a.cost - b.cost)
}

export class NameSpots {
  /** The spot of each name when it was last written. */
  private last: ReadonlyMap<string, Spot> = new Map()

  /** The box of each name, in order; null where there is no room for it. Those that come first choose first. */
  place(names: readonly Wanted[], screen: Box, covered: Covered, { panned, farthest, most }: Rules): (Box | null)[] {
    const taken: Box[] = [], now = new Map<string, Spot>()
    const boxes = names.map((name) => {
      if (taken.length === most || !isWithin(name.at, screen)) return null
      const spot = (panned ? this.kept(name, screen, taken) : null) ?? this.best(name, names, screen, covered, taken, farthest)
      if (spot === null) return null
      const box = boxAt(name, spot)
      now.set(name.text, spot)
      taken.push(box)
      return box
    })
    this.last = now
    return boxes
  }

  /** Its last spot where that is still a good one. */
  private kept(name: Wanted, screen: Box, taken: readonly Box[]): Spot | null {
    const spot = this.last.get(name.text)
    return spot !== undefined && spot.gap <= CLOSE_PIXELS && isFree(boxAt(name, spot), screen, taken) ? spot : null
  }

  private best(name: Wanted, all: readonly Wanted[], screen: Box, covered: Covered, taken: readonly Box[], farthest: number): Spot | null {
    let best: Spot | null = null, least = Infinity
    const consider = (spot: Spot, base: number): void => {
      const box = boxAt(name, spot)
      if (!isFree(box, screen, taken)) return
      // Counting goes no further than it takes to lose.
      const enough = Math.min(MOST_COUNTED, Math.ceil(((least - base) / PIXELS_A_POINT) ** 2))
      const cost = base + PIXELS_A_POINT * Math.sqrt(covered(box, enough))
      if (cost >= least) return
      const own = away(name.at, box), strange = all.some((other) => other !== name && away(other.at, box) < own)
      if (cost + (strange ? STRANGER_PIXELS : 0) >= least) return
      best = spot
      least = cost + (strange ? STRANGER_PIXELS : 0)
    }
    const before = this.last.get(name.text)
    if (before !== undefined && before.gap <= farthest) consider(before, before.cost - STAYING_PIXELS)
    for (const spot of SPOTS) {
      if (spot.cost >= least) break
      if (spot.gap <= farthest) consider(spot, spot.cost)
    }
    return best
  }
}

function boxAt({ at: [x, y], width, height }: Wanted, { dx, dy, gap }: Spot): Box {
  const middleX = x + dx * gap + (Math.sign(dx) * Math.min(1, 1.4 * Math.abs(dx)) * width) / 2
  const middleY = y + dy * gap + (Math.sign(dy) * Math.min(1, 1.4 * Math.abs(dy)) * height) / 2
  return { left: middleX - width / 2, right: middleX + width / 2, top: middleY - height / 2, bottom: middleY + height / 2 }
}

function away([x, y]: Point, { left, top, right, bottom }: Box): number {
  return Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom))
}

export function isWithin([x, y]: Point, box: Box): boolean {
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom
}

function isFree(box: Box, screen: Box, taken: readonly Box[]): boolean {
  return contains(screen, box) && !taken.some((other) => overlap(other, box))
}

function contains(outer: Box, inner: Box): boolean {
  return inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top && inner.bottom <= outer.bottom
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right + APART_PIXELS && b.left < a.right + APART_PIXELS && a.top < b.bottom + APART_PIXELS && b.top < a.bottom + APART_PIXELS
}
