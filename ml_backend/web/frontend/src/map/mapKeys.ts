/** Keys that act while the map has the focus: hopping from point to point, and reading out where one is. */

import { shownItems } from '../absent'
import { columns, control, current, hovered, mode, pinned, selection, server } from '../state'
import { NO_CLASS } from '../columns'
import { panned, toPlace, toScreen } from './camera'
import { DIRECTIONS, nextInDirection } from './hop'
import { contains } from './rowSets'
import { view, type Stage } from './stage'
import { STATUS } from './style'
import { select } from '../actions'
import { signal } from '@preact/signals'

/** Spoken politely. */
export const reading = signal('')

const EDGE_PIXELS = 40

export function onMapKey(event: KeyboardEvent, stage: Stage): void {
  const direction = DIRECTIONS[event.key]
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (direction !== undefined && !event.shiftKey) {
    event.preventDefault()
    hop(stage, direction)
  } else if (event.key === 'Enter' && hovered.peek() !== null && pinned.peek() !== hovered.peek()) {
    event.preventDefault()
    pinned.value = hovered.peek()
  } else if (event.key === 'Enter' && event.shiftKey && hovered.peek() !== null) {
    event.preventDefault()
    toggle(hovered.peek() ?? 0)
  }
}

function toggle(row: number): void {
  select([row], 'picked by keys', contains(selection.peek().rows, row) ? 'remove' : 'add')
}

function hop(stage: Stage, direction: readonly [number, number]): void {
  const now = view.peek(), from = hovered.peek() ?? pinned.peek() ?? current.peek()
  const at = from === null ? null : [stage.places[2 * from] ?? 0, stage.places[2 * from + 1] ?? 0] as const
  const [x, y] = at ?? toPlace(now, now.width / 2, now.height / 2)
  const row = nextInDirection(stage.points, stage.places, x, y, from, direction)
  if (row === null) {
    reading.value = 'There is no point further on.'
    return
  }
  pinned.value = null
  hovered.value = row
  bringIntoView(stage, row)
  reading.value = inWords(row)
}

function bringIntoView(stage: Stage, row: number): void {
  const now = view.peek(), [sx, sy] = toScreen(now, stage.places[2 * row] ?? 0, stage.places[2 * row + 1] ?? 0)
  const dx = Math.min(0, now.width - EDGE_PIXELS - sx) + Math.max(0, EDGE_PIXELS - sx)
  const dy = Math.min(0, now.height - EDGE_PIXELS - sy) + Math.max(0, EDGE_PIXELS - sy)
  if (dx !== 0 || dy !== 0) stage.look(panned(now, dx, dy), true)
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  [STATUS.none]: 'nothing named', [STATUS.propagated]: 'predicted', [STATUS.human]: 'labelled', [STATUS.neverSeen]: 'like nothing seen before',
  [STATUS.setAside]: 'set aside',
}

/** One point in a sentence. */
export function inWords(row: number): string {
  const shown = columns.peek(), status = shown.status[row] ?? 0, index = shown.class[row] ?? NO_CLASS
  const name = server.peek()?.controls.find((each) => each.name === control.peek())?.classes[index]?.shown_as
  const sure = status === STATUS.propagated ? `, ${Math.round(((shown.confidence[row] ?? 0) / 255) * 100)} % sure` : ''
  const chosen = contains(selection.peek().rows, row) ? ', selected' : ''
  return `Task ${shown.ids[row] ?? 0}: ${STATUS_WORDS[status] ?? ''}${name === undefined ? '' : ` ${name}`}${sure}${chosen}.`
}

/** What the map's element is called. */
export function summary(): string {
  return `Map of ${shownItems.value.toLocaleString('en')} items. Tool: ${mode.value}. Arrow keys go from point to point.`
}
