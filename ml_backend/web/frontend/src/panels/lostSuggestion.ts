/** Says why the suggestion that somebody looks at goes, where nothing on this page did it. */

import { effect, untracked } from '@preact/signals'
import { columns, control, current } from '../state'
import { fate, seen, type Fate, type Seen } from './logic/fate'
import { isOwn } from './ownActs'
import { loadQueue, walk, walkedTo } from './queueActions'
import { toast } from './toasts'

const WORDS: Readonly<Record<Fate, string>> = {
  gone: 'is gone: it was deleted in Label Studio, or cannot be read any more',
  answered: 'was just answered elsewhere',
}

/** Returns the way to stop. */
export function watchSuggestion(): () => void {
  let before: Seen | null = null, question = '', ofAnother: Uint8Array | null = null
  return effect(() => {
    const shown = columns.value, now = seen(shown, current.value), was = before, what = fate(was, now, shown.ids, isOwn)
    // Another question is asked: until its answers are here, those of the one before say nothing.
    if (question !== control.value) [question, ofAnother] = [control.value, shown.status]
    before = shown.status === ofAnother ? null : now
    if (was !== null && what !== null) untracked(() => tell(was.task, what))
  })
}

/** The task that Label Studio shows is looked at there: only what somebody walked to is missed here. */
function tell(task: number, what: Fate): void {
  if (walkedTo.value !== task) return
  toast(`Task ${task}, the suggestion you looked at, ${WORDS[what]}.`, 'done', { name: 'Next suggestion', run: () => void walk(1) })
  // The one that is answered leaves the list, whichever came first, the new columns or the new order.
  void loadQueue()
}
