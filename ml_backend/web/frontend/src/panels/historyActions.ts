/** The acts given on the map, undone and redone as a whole. */

import { signal } from '@preact/signals'
import { person } from '../state'
import { actInWords, nextRedo, nextUndo } from './logic/history'
import { type Act, acts as fetchActs, redoAct, retryActs, undoAct } from './server'
import { whenSignedIn } from './signInActions'
import { problem, toast } from './toasts'

export const history = signal<readonly Act[]>([])
/** Acts undone in this sitting, in order: redo goes back through them. */
let undoneHere: Act['id'][] = []

export async function loadHistory(): Promise<void> {
  try {
    history.value = await fetchActs()
  } catch (error) {
    problem(error)
  }
}

export function undo(id: Act['id']): void {
  whenSignedIn('undo', async () => {
    try {
      const act = await undoAct(id)
      undoneHere.push(id)
      toast(`Undone: ${actInWords(act)}.`, 'done', { name: 'Redo', run: () => redo(id) })
    } catch (error) {
      problem(error)
    }
    void loadHistory()
  })
}

export function redo(id: Act['id']): void {
  whenSignedIn('redo', async () => {
    try {
      const act = await redoAct(id)
      undoneHere = undoneHere.filter((other) => other !== id)
      toast(`${actInWords(act)}.`, 'done', { name: 'Undo', run: () => undo(id) })
    } catch (error) {
      problem(error)
    }
    void loadHistory()
  })
}

export function undoNewest(): void {
  if (person.value === null) return whenSignedIn('undo', undoNewest)
  const act = nextUndo(history.value, person.value?.name ?? '')
  if (act === null) toast('There is nothing to undo.')
  else undo(act.id)
}

export function redoNewest(): void {
  const act = nextRedo(history.value, undoneHere)
  if (act === null) toast('There is nothing to redo.')
  else redo(act.id)
}

export function retry(): void {
  whenSignedIn('try again', async () => {
    try {
      await retryActs()
      toast('What failed is sent again.')
    } catch (error) {
      problem(error)
    }
    void loadHistory()
  })
}
