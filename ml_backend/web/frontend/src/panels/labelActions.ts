/** Labels and the other answers, given on the map: seen at once, sent to the server, undone as a whole. */

import { batch, signal } from '@preact/signals'
import { refreshState } from '../live'
import { columns, control, current, excluded, hidden, pinned, selection } from '../state'
import { classNames, currentClasses, nameOf, shownAs } from './classes'
import { asOwn } from './ownActs'
import { repaint, restorePaint } from './paint'
import { type Assignment, assignment, asks } from './logic/guard'
import { rowsToAccept, rowsToLabel, STATUS } from './logic/selectionSummary'
import { rejected } from './rejected'
import { inTurn, loadHistory, said, undo } from './historyActions'
import { type ActRequest, createClass, postAct } from './server'
import { whenSignedIn } from './signInActions'
import { problem, toast } from './toasts'
import { announce, show } from './ui'
import { count, plural } from './logic/words'

export const overwrite = signal(false)

/** Classes that were made on this page and are not in a label config known here, by value. */
export const madeHere = new Set<string>()

/** A label that waits for a person's yes. */
export interface Waiting {
  readonly index: number
  readonly rows: readonly number[]
  readonly ask: Assignment
}
export const waiting = signal<Waiting | null>(null)

/** What a key or button acts on: the selection, else the pinned item, else the current suggestion. */
export function target(): Uint32Array {
  const chosen = selection.value.rows
  if (chosen.length > 0) return chosen
  const one = pinned.value ?? current.value
  return one === null ? new Uint32Array() : Uint32Array.of(one)
}

/** Gives the target a class; asks first where much is at stake. */
export function giveLabel(index: number): void {
  if (index < 0 || index >= currentClasses.value.length) return
  const rows = target()
  const chosen = rowsToLabel(columns.value, rows, excluded.value, overwrite.value)
  if (rows.length === 0) {
    toast('Nothing is selected: draw a lasso, or walk the queue with N.', 'problem')
    return
  }
  if (chosen.length === 0) {
    toast(nothingToLabel(rows), 'problem')
    return
  }
  const kept = [...rows].filter((row) => !excluded.value.has(row))
  const ask = assignment(columns.value, kept, chosen, index, overwrite.value)
  if (asks(ask)) {
    waiting.value = { index, rows: chosen, ask }
    show('selection')
    announce(`Please confirm: ${nameOf(index)} for ${plural(chosen.length, 'item')}.`)
    return
  }
  sendLabel(index, chosen)
}

export function confirmWaiting(): void {
  const asked = waiting.value
  waiting.value = null
  if (asked !== null) sendLabel(asked.index, asked.rows)
}

export function dropWaiting(): void {
  waiting.value = null
}

/** Works on another control. What was said of classes of the one before by their place must not be taken for its own. */
export function chooseControl(name: string): void {
  batch(() => {
    control.value = name
    hidden.value = new Set()
    rejected.value = null
    dropWaiting()
  })
}

/** A class for these rows, whatever is selected. */
export function sendLabel(index: number, rows: readonly number[]): void {
  const label = classNames.value[index]
  if (label === undefined) return
  send(
    { kind: 'label', control: control.value, label, tasks: tasksOf(rows), overwrite: overwrite.value },
    rows,
    () => repaint(rows, { class: index, status: STATUS.human }),
  )
}

/** Skip, unsure or never seen: an answer without a class. */
export function giveAnswer(kind: 'skip' | 'unsure' | 'never_seen'): void {
  const rows = rowsToLabel(columns.value, target(), excluded.value, false)
  if (rows.length === 0) {
    toast(target().length === 0 ? 'Nothing is selected.' : nothingToLabel(target()), 'problem')
    return
  }
  send({ kind, tasks: tasksOf(rows) }, rows, () => repaint(rows, { status: STATUS.setAside }))
}

/** Takes the predictions of these rows as they are. confidence: 0..1. component: said to the server instead of the tasks. */
export function acceptPredictions(rows: Iterable<number>, confidence: number, component: number | null = null): void {
  const chosen = rowsToAccept(columns.value, rows, confidence)
  if (chosen.length === 0) {
    toast('No prediction here is that sure.', 'problem')
    return
  }
  const tasks = component === null ? tasksOf(chosen) : null
  send({ kind: 'accept', control: control.value, component, tasks, min_confidence: confidence }, chosen, () => repaint(chosen, { status: STATUS.human }))
}

/** Adds a class to the label config in Label Studio, then gives it to the target. */
export function addClass(name: string): void {
  if (target().length > 0 && rowsToLabel(columns.value, target(), excluded.value, overwrite.value).length === 0) {
    toast(nothingToLabel(target()), 'problem') // a class that nothing gets would be left behind in the label config
    return
  }
  whenSignedIn(`add the class “${name}”`, async () => {
    try {
      await makeClass(name)
      await refreshState()
      toast(`“${name}” is now a class of ${control.value}.`)
      if (target().length > 0) giveLabel(classNames.value.indexOf(name))
    } catch (error) {
      problem(error)
    }
  })
}

async function makeClass(name: string): Promise<void> {
  madeHere.add(name) // before the new label config is known
  try {
    await createClass(control.value, name)
  } catch (error) {
    madeHere.delete(name)
    throw error
  }
}

/** Called with the rows after an act has been taken up; the queue moves on with it. */
export const labelled = signal<{ readonly rows: readonly number[] } | null>(null)

function send(request: ActRequest, rows: readonly number[], paint: () => void): void {
  whenSignedIn(`${inWords(request, rows.length)}`, () => asOwn(request.tasks, async () => {
    const before = columns.value
    paint()
    labelled.value = { rows }
    await inTurn(async () => {
      try {
        const { act, kept } = await postAct(request)
        const left = kept > 0 ? ` ${plural(kept, 'label')} of people kept.` : ''
        toast(`${said(act)}.${left}`, 'done', { name: 'Undo', run: () => undo(act.id) }, act.id)
      } catch (error) {
        restorePaint(before, rows)
        problem(error, { name: 'Try again', run: () => send(request, rows, paint) })
      }
      void loadHistory()
    })
  }))
}

function tasksOf(rows: readonly number[]): number[] {
  const { ids } = columns.value
  return rows.map((row) => ids[row] ?? 0).filter((task) => task > 0)
}

function nothingToLabel(rows: Uint32Array): string {
  const { ids, status } = columns.value
  const human = [...rows].filter((row) => status[row] === STATUS.human).length
  if (human > 0) return `${count(human)} selected ${human === 1 ? 'item has' : 'items have'} a person’s label already. Tick “overwrite” to replace.`
  return [...rows].every((row) => (ids[row] ?? 0) === 0) ? 'These items have no task in Label Studio.' : 'All selected items were dropped.'
}

function inWords(request: ActRequest, n: number): string {
  return request.kind === 'label' ? `label ${plural(n, 'item')} as “${shownAs(request.label)}”` : `answer for ${plural(n, 'item')}`
}
