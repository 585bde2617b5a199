/** What a person does to the map itself: modes, selections, the camera. */

import { batch } from '@preact/signals'
import { presentRows } from './absent'
import { fitAll, fitCurrent, fitSelection, theStage } from './map'
import { panned, zoomed } from './map/camera'
import { say } from './map/notice'
import { changed, rowSet, type Change } from './map/rowSets'
import { drawing, view } from './map/stage'
import { COLOUR_MODES, colourMode, columns, excluded, hovered, mode, selection, type Mode } from './state'

/** Takes rows into the selection, but for those whose task is gone. rows: any order. source: what made it, in words. */
export function select(rows: Iterable<number>, source: string, change: Change = 'new'): void {
  const { rows: before, number } = selection.peek()
  const next = changed(before, presentRows(columns.peek(), rowSet(rows)), change)
  batch(() => {
    if (change === 'new') excluded.value = new Set()
    selection.value = { rows: next, source, number: number + 1 }
  })
}

export function clearSelection(): void {
  select([], 'cleared')
}

export function setMode(next: Mode): void {
  mode.value = next
}

/** Esc: the drawing, then the selection. False when there is neither. */
export function leaveSelection(): boolean {
  if (drawing.peek() !== null) drawing.value = null
  else if (selection.peek().rows.length > 0) clearSelection()
  else return false
  return true
}

/** Esc: the card, then the tool. False when there is nothing left to leave. */
export function leaveTool(): boolean {
  if (hovered.peek() !== null) hovered.value = null
  else if (mode.peek() !== 'pan') mode.value = 'pan'
  else return false
  return true
}

export function cycleColours(): void {
  const next = COLOUR_MODES[(COLOUR_MODES.indexOf(colourMode.peek()) + 1) % COLOUR_MODES.length]
  if (next !== undefined) colourMode.value = next
  say(`Coloured by ${colourMode.peek().replace('s_ood', 'distance from the labels')}`)
}

/** factor: above 1 = closer. */
export function zoomBy(factor: number): void {
  const stage = theStage(), now = view.peek()
  stage?.look(zoomed(stage.aim(), factor, now.width / 2, now.height / 2), true)
}

/** Fractions of the screen, to the right and down. */
export function panBy(right: number, down: number): void {
  const stage = theStage(), now = view.peek()
  stage?.look(panned(stage.aim(), -right * now.width, -down * now.height), true)
}

export { fitAll, fitCurrent, fitSelection }
