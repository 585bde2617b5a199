/** The acts given on the map, undone and redone as a whole. */

import { signal } from '@preact/signals'
import { person } from '../state'
import { shownAs } from './classes'
import { actInWords, nextRedo, nextUndo } from './logic/history'
import { asOwn } from './ownActs'
import { type Act, acts as fetchActs, redoAct, retryActs, undoAct } from './server'
import { whenSignedIn } from './signInActions'
import { problem, toast } from './toasts'

export const history = signal<readonly Act[]>([])
/** Acts undone in this sitting, in order: redo goes back through them. */
let undoneHere: Act['id'][] = []

/** “Labelled 412 as refund”, with the name that the class is shown as. */
export function said(act: Act): string {
  return actInWords({ ...act, label: act.label === null ? null : shownAs(act.label, act.control) })
}

export async function loadHistory(): Promise<void> {
  try {
    history.value = await fetchActs()
  } catch (error) {
    problem(error)
  }
}

let last: Promise<void> = Promise.resolve()

/** One after the other, as the person did them: a label that is on its way is what Ctrl+Z means. */
export function inTurn(act: () => Promise<void>): Promise<void> {
  last = last.then(act, act)
  return last
}

export function undo(id: Act['id']): void {
  whenSignedIn('undo', () => inTurn(() => takeBack(id)))
}

export function redo(id: Act['id']): void {
  whenSignedIn('redo', () => asOwn(null, () => inTurn(() => bringBack(id))))
}

export function undoNewest(): void {
  whenSignedIn('undo', () => inTurn(async () => {
    await loadHistory()
    const act = nextUndo(history.value, person.value?.name ?? '')
    if (act === null) toast('There is nothing to undo.')
    else await takeBack(act.id)
  }))
}

export function redoNewest(): void {
  whenSignedIn('redo', () => asOwn(null, () => inTurn(async () => {
    await loadHistory()
    const act = nextRedo(history.value, undoneHere)
    if (act === null) toast('There is nothing to redo.')
    else await bringBack(act.id)
  })))
}

async function takeBack(id: Act['id']): Promise<void> {
  try {
    const act = await undoAct(id)
    undoneHere.push(id)
    toast(`Undone: ${said(act)}.`, 'done', { name: 'Redo', run: () => redo(id) }, id)
  } catch (error) {
    problem(error)
  }
  void loadHistory()
}

async function bringBack(id: Act['id']): Promise<void> {
  try {
    const act = await redoAct(id)
    undoneHere = undoneHere.filter((other) => other !== id)
    toast(`${said(act)}.`, 'done', { name: 'Undo', run: () => undo(id) }, id)
  } catch (error) {
    problem(error)
  }
  void loadHistory()
}

export function retry(): void {
  whenSignedIn('try again', () => asOwn(null, async () => {
    try {
      await retryActs()
      toast('What failed is sent again.')
    } catch (error) {
      problem(error)
    }
    void loadHistory()
  }))
}
