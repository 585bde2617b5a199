/** `window.__map`: what tests ask and tell the map, and how fast it draws. */

import { select } from '../actions'
import { columns, selection, server } from '../state'
import { screenPosition } from '.'
import { panned } from './camera'
import { rendererKind, view, type Stage } from './stage'

export interface Speed {
  /** Milliseconds from frame to frame while the map is moved. */
  readonly median: number
  readonly p95: number
  readonly frames: number
}

declare global {
  interface Window {
    __map?: {
      readonly ready: boolean
      readonly n: number
      readonly renderer: 'gl' | 'canvas' | null
      readonly selection: () => number[]
      readonly select: (rows: number[]) => void
      /** Pixels within the map's element. */
      readonly screenPosition: (row: number) => readonly [number, number] | null
      readonly colourOf: (row: number) => string
      readonly version: () => unknown
      readonly view: () => unknown
      readonly fps: (frames?: number) => Promise<Speed>
    }
  }
}

export function exposeProbe(stage: Stage): () => void {
  window.__map = {
    get ready() {
      return rendererKind.value !== null && columns.peek().n > 0
    },
    get n() {
      return columns.peek().n
    },
    get renderer() {
      return rendererKind.peek()
    },
    selection: () => [...selection.peek().rows],
    select: (rows) => select(rows, 'from outside'),
    screenPosition,
    colourOf: (row) => stage.colourOf(row),
    version: () => server.peek()?.versions ?? null,
    view: () => view.peek(),
    fps: (frames = 40) => speed(stage, frames),
  }
  return () => {
    delete window.__map
  }
}

/** Moves the map to and fro and measures from one painted frame to the next. */
async function speed(stage: Stage, frames: number): Promise<Speed> {
  const home = view.peek(), times: number[] = []
  let last = performance.now()
  for (let i = 0; i < frames; i++) {
    stage.look(panned(home, 24 * Math.sin(i / 3), 16 * Math.cos(i / 3)), false)
    await painted(stage)
    const now = performance.now()
    times.push(now - last)
    last = now
  }
  stage.look(home, false)
  await painted(stage)
  times.sort((a, b) => a - b)
  const at = (share: number): number => Math.round(10 * (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0)) / 10
  return { median: at(0.5), p95: at(0.95), frames }
}

function painted(stage: Stage): Promise<void> {
  return new Promise((resolve) => stage.afterFrame(() => resolve()))
}
