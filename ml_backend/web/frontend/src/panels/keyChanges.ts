/** Says that the number keys give other classes than before: someone changed the label config while the page was open. */

import { effect, untracked } from '@preact/signals'
import { control } from '../state'
import { classNames, currentClasses } from './classes'
import { madeHere } from './labelActions'
import { keysInWords, keysMoved } from './logic/movedKeys'
import { toast } from './toasts'

const MOST_SAID = 10

/** Returns the way to stop. */
export function watchKeys(): () => void {
  /** The classes of each control when its keys were last in use. */
  const known = new Map<string, readonly string[]>()
  return effect(() => {
    const names = classNames.value, question = control.value, before = known.get(question)
    if (names.length === 0) return // not loaded, or a control that is about to go
    known.set(question, names)
    if (before !== undefined && keysMoved(before, names, madeHere)) untracked(() => tell(before, names))
    for (const name of names) madeHere.delete(name)
  })
}

function tell(before: readonly string[], names: readonly string[]): void {
  const shown = currentClasses.value.map(({ shown_as }) => shown_as)
  // As long as a problem is shown: who types on gives wrong labels.
  toast(`The classes changed in Label Studio: keys are now ${keysInWords(before, names, shown, MOST_SAID)}.`, 'problem')
}
