/** Selections made from selections. */

import { select } from '../actions'
import { columns, hidden, selection } from '../state'
import { similar } from './server'
import { grown, inverted, uncertain } from './logic/selectionSets'
import { problem, toast } from './toasts'
import { announce, showBeside } from './ui'
import { plural } from './logic/words'

/** Of each item, when a selection grows. */
export const NEIGHBOURS = 10
/** Items that grow at once: each is a question to the server. */
export const MOST_GROWN = 50

/** Takes these rows as the selection, and shows what they are. rows: any order, repeats allowed. */
export function choose(rows: Iterable<number>, source: string): void {
  select(rows, source)
  showBeside('selection')
  const n = selection.peek().rows.length
  announce(n === 0 ? 'Nothing is selected.' : `${plural(n, 'item')} selected.`)
}

export function clear(): void {
  choose([], 'cleared')
}

export function invert(): void {
  choose(inverted(columns.value, selection.value.rows, hidden.value), 'inverted')
}

export function growByComponent(): void {
  choose(grown(columns.value.component, selection.value.rows), 'grown to components')
}

export function onlyUncertain(): void {
  const rows = uncertain(columns.value, selection.value.rows)
  if (rows.length === 0) toast('Everything selected is quite sure, or labelled by people.')
  else choose(rows, 'only the uncertain')
}

/** Each selected item with its nearest neighbours. */
export async function growByNeighbours(): Promise<void> {
  const rows = [...selection.value.rows]
  try {
    const found = await Promise.all(rows.map((row) => similar(row, NEIGHBOURS)))
    choose([...rows, ...found.flatMap((each) => each.rows)], 'grown to neighbours')
  } catch (error) {
    problem(error)
  }
}
