/** Items found by what they say or what they are like: marked on the map, nothing else disappears. */

import { signal } from '@preact/signals'
import { presentRows } from '../absent'
import { columns, highlighted } from '../state'
import { choose } from './selectionActions'
import { plural } from './logic/words'
import { search as fetchHits, similar } from './server'
import { flyTo } from '../map'
import { problem, toast } from './toasts'
import { announce } from './ui'

/** What was searched; the rows are those that are highlighted, which follow their tasks. */
export interface Hits {
  /** Those beyond what is highlighted, too. */
  readonly total: number
  readonly cut: boolean
  /** “refund”, “like task 12”. */
  readonly what: string
}

const ALIKE = 50

export const hits = signal<Hits | null>(null)
/** What stands in the search field. */
export const searchText = signal('')
export const hitAt = signal(-1)
let round = 0

/** Marks what fits; an empty text ends the search. */
export async function find(text: string, mode: 'text' | 'regex'): Promise<void> {
  const mine = ++round
  if (text.trim() === '') {
    endSearch()
    return
  }
  try {
    const found = await fetchHits(text, mode)
    if (mine !== round) return
    mark(found.rows, { total: found.total, cut: found.cut, what: `“${text}”` })
  } catch (error) {
    if (mine !== round) return
    // What an earlier text found is no answer to this one.
    endSearch()
    problem(error)
  }
}

export async function moreLikeThis(row: number): Promise<void> {
  const mine = ++round
  try {
    const found = await similar(row, ALIKE)
    if (mine !== round) return
    const rows = [row, ...found.rows.filter((other) => other !== row)]
    mark(rows, { total: rows.length, cut: false, what: 'alike' })
    choose(rows, 'more like this')
    flyTo(rows)
  } catch (error) {
    problem(error)
  }
}

/** Ends the search and empties its field; false when nothing was searched. */
export function leaveSearch(): boolean {
  if (hits.peek() === null && searchText.peek() === '') return false
  searchText.value = ''
  endSearch()
  return true
}

export function endSearch(): void {
  round++
  hits.value = null
  hitAt.value = -1
  highlighted.value = new Uint32Array()
}

/** Flies to the next hit, or the one before. */
export function hop(step: 1 | -1): void {
  const rows = highlighted.value
  if (hits.value === null || rows.length === 0) return
  hitAt.value = (hitAt.value + step + rows.length) % rows.length
  const row = rows[hitAt.value]
  if (row !== undefined) flyTo([row])
}

/** All hits as the selection: a class key then labels them. */
export function selectHits(): void {
  const found = hits.value
  if (found === null) return
  const rows = highlighted.value
  choose(rows, `search ${found.what}`)
  toast(`${plural(rows.length, 'hit')} selected: press the number of a class, or type one.`)
}

function mark(rows: readonly number[], found: Hits): void {
  hits.value = found
  hitAt.value = -1
  highlighted.value = presentRows(columns.value, Uint32Array.from(rows))
  announce(rows.length === 0 ? 'Nothing found.' : `${plural(found.total, 'hit')}.`)
}
