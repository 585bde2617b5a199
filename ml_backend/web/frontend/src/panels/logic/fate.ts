/** What became of the suggestion that somebody looks at, when nothing on this page did it. */

import { STATUS } from './selectionSummary'

/** A task that is looked at, and whether an answer to it was seen. */
export interface Seen {
  readonly task: number
  readonly answered: boolean
}

/** `gone`: deleted, or changed so that it cannot be read. `answered`: by somebody else. */
export type Fate = 'gone' | 'answered'

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

/** Null where nothing happened to it, or this page did. isOwn: whether this page may have answered a task just now. */
export function fate(before: Seen | null, now: Seen | null, ids: Uint32Array, isOwn: (task: number) => boolean): Fate | null {
  if (before === null || before.answered || ids.length === 0) return null
  if (now === null) return ids.includes(before.task) ? null : 'gone'
  return now.task === before.task && now.answered && !isOwn(now.task) ? 'answered' : null
}
