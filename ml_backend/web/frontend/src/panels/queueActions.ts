/** The suggestions, walked one by one: the map flies to each. */

import { computed, effect, signal } from '@preact/signals'
import { clearSelection } from '../actions'
import { columns, current, pinned } from '../state'
import { labelled, sendLabel } from './labelActions'
import { placed, withShown } from './logic/keptSuggestion'
import { NONE, STATUS } from './logic/selectionSummary'
import { queue as fetchQueue, type Suggestion } from './server'
import { flyTo } from '../map'
import { problem, toast } from './toasts'
import { rejected } from './rejected'
import { announce, show, TAB_PANEL } from './ui'
import { nameOf } from './classes'

import { percent } from './logic/words'

const LENGTH = 50

/** As it came: with the rows of that moment, which may be ahead of the columns or behind them. */
const newest = signal<readonly Suggestion[]>([])
const ids = computed(() => columns.value.ids)

export const suggestions = computed(() => placed(newest.value, ids.value))
/** The task that somebody looks at because the queue asks for it. */
export const walkedTo = signal<number | null>(null)

let asked = 0
/** Of the newest question. */
let loading: Promise<boolean> = Promise.resolve(true)

/** Whether it could be had, or what was asked for meanwhile: an answer that took long comes after the one to a later question. */
export function loadQueue(): Promise<boolean> {
  const number = ++asked
  const isNewest = () => number === asked
  loading = load(isNewest).then((had) => (isNewest() ? had : loading))
  return loading
}

async function load(isNewest: () => boolean): Promise<boolean> {
  try {
    const fresh = await fetchQueue(LENGTH)
    if (!isNewest()) return true
    const row = current.peek()
    newest.value = withShown(newest.peek(), fresh, row === null || answered(row) ? null : (ids.peek()[row] ?? null))
    return true
  } catch (error) {
    problem(error)
    return false
  }
}

/** Whether a suggestion was answered since it was made. */
export function answered(row: number): boolean {
  const status = columns.value.status[row]
  return status === STATUS.human || status === STATUS.setAside
}

/** Those that are open, and the one that is looked at: from there it goes on. */
function walkable(): readonly Suggestion[] {
  return suggestions.value.filter(({ row }) => row === current.value || !answered(row))
}

export async function walk(step: 1 | -1): Promise<void> {
  if (walkable().length === 0 && !(await loadQueue())) return
  const open = walkable()
  if (open.length === 0) {
    toast(columns.value.n === 0 ? 'The map is still loading.' : 'No suggestion is left: train, or wait for new tasks.')
    return
  }
  const at = open.findIndex(({ row }) => row === current.value)
  const next = open[at === -1 ? (step === 1 ? 0 : open.length - 1) : (at + step + open.length) % open.length]
  if (next !== undefined) goTo(next)
}

export function goTo(suggestion: Suggestion): void {
  rejected.value = null
  // Keys label what is selected or pinned first: that would be something else than what is now shown.
  clearSelection()
  pinned.value = null
  current.value = suggestion.row
  walkedTo.value = suggestion.task
  flyTo([suggestion.row])
  show('queue')
  document.getElementById(TAB_PANEL)?.scrollTo(0, 0)
  const index = columns.value.class[suggestion.row] ?? NONE
  const predicted = index === NONE ? 'Nothing predicted' : `Predicted ${nameOf(index)}, ${percent((columns.value.confidence[suggestion.row] ?? 0) / 255)}`
  announce(`Suggestion: ${suggestion.reason} ${predicted}.`)
}

/** Takes the prediction of the current suggestion as its label. */
export function acceptCurrent(): void {
  const row = current.value
  if (row === null) return
  const index = columns.value.class[row] ?? NONE
  if (index === NONE) {
    toast('Nothing is predicted here: press the number of a class, or type one.', 'problem')
    return
  }
  sendLabel(index, [row])
}

/** Says that the prediction is wrong: no label is made of that, but a right one is asked for. */
export function rejectCurrent(): void {
  const row = current.value
  if (row === null) return
  const index = columns.value.class[row] ?? NONE
  rejected.value = index === NONE ? null : index
  announce('Rejected. Press the number of the right class, Y to type it, or U for unsure.')
}

// An answered suggestion makes room for the next one.
effect(() => {
  const done = labelled.value
  const row = current.peek()
  if (done !== null && row !== null && done.rows.length === 1 && done.rows[0] === row) void walk(1)
})
