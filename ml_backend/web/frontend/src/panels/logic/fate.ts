/** What became of the suggestion that somebody looks at, when nothing on this page did it. */

import { STATUS } from './selectionSummary'

/** A task that is looked at, and whether an answer to it was seen. */
export interface Seen {
  readonly task: number
  readonly answered: boolean
}

/** `answered`: by somebody else. */
export type Fate = 'deleted' | 'answered'

interface Tasks {
  readonly ids: Uint32Array
  readonly status: Uint8Array
}

/** row: of the task that is looked at now; null = none is. */
export function seen({ ids, status }: Tasks, row: number | null): Seen | null {
  const task = row === null ? 0 : (ids[row] ?? 0)
  if (row === null || task === 0) return null
  return { task, answered: status[row] === STATUS.human || status[row] === STATUS.setAside }
}

/** Null where nothing happened to it, or this page did. givenHere: tasks that were answered on this page. */
export function fate(before: Seen | null, now: Seen | null, ids: Uint32Array, givenHere: ReadonlySet<number>): Fate | null {
  if (before === null || before.answered || ids.length === 0) return null
  if (now === null) return ids.includes(before.task) ? null : 'deleted'
  return now.task === before.task && now.answered && !givenHere.has(now.task) ? 'answered' : null
}
