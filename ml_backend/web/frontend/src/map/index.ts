/** The map, for the rest of the page. Everything is harmless while there is none. */

import { current, selection } from '../state'
import { dark } from './theme'
import type { Point } from './camera'
import { rampColours as ramp } from './palette'
import { view, type Stage } from './stage'

export { CLASS_COLOURS } from './palette'

let stage: Stage | null = null

/** The stage that is on the page; null when it is taken down. */
export function setStage(next: Stage | null): void {
  stage = next
}

export function theStage(): Stage | null {
  return stage
}

/** Shows rows, in a flight where the person does not mind movement. */
export function flyTo(rows: ArrayLike<number>): void {
  stage?.flyTo(rows)
}

export function fitAll(): void {
  if (stage !== null) stage.look(stage.home(), true)
}

export function fitSelection(): void {
  if (selection.value.rows.length > 0) flyTo(selection.value.rows)
}

/** The current suggestion, or the task that Label Studio shows. */
export function fitCurrent(): void {
  if (current.value !== null) flyTo([current.value])
}

/** Pixels within the map's element; null for a row that there is not. */
export function screenPosition(row: number): Point | null {
  // Who shows something beside a point follows the camera.
  void view.value
  return stage?.screenPosition(row) ?? null
}

/** Rows that the screen shows and the legend does not hide. */
export function inView(): number[] {
  return stage?.rowsInView() ?? []
}

/** The colours of a scale, low to high, for the page's theme. */
export function rampColours(mode: string): string[] {
  return ramp(mode, dark.value)
}
