/** Colours that do not wait for the server: its own columns follow and replace them. */

import { isPresent } from '../absent'
import { painted } from '../live'
import { columns } from '../state'

interface Paint {
  readonly class?: number
  readonly status?: number
}

/** Shows the rows as labelled, not yet confirmed by Label Studio. */
export function repaint(rows: readonly number[], paint: Paint): void {
  const before = columns.value
  const after = { ...before, class: before.class.slice(), status: before.status.slice(), pending: before.pending.slice() }
  for (const row of rows) {
    if (!isPresent(before, row)) continue
    if (paint.class !== undefined) after.class[row] = paint.class
    if (paint.status !== undefined) after.status[row] = paint.status
    after.pending[row] = 1
  }
  show(after)
}

/** Takes a paint back on these rows only: the columns may have been replaced meanwhile, and rows have other tasks or none. */
export function restorePaint(then: typeof columns.value, rows: readonly number[]): void {
  const now = columns.value
  if (now.n !== then.n) return
  const after = { ...now, class: now.class.slice(), status: now.status.slice(), pending: now.pending.slice() }
  for (const row of rows) {
    if (now.ids[row] !== then.ids[row]) continue
    after.class[row] = then.class[row] ?? 0
    after.status[row] = then.status[row] ?? 0
    after.pending[row] = then.pending[row] ?? 0
  }
  show(after)
}

function show(after: typeof columns.value): void {
  painted(['class', 'status', 'pending'])
  columns.value = after
}
