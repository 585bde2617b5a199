/** What this page did itself, and may still see arriving with new columns: that is no news to the person. */

import { caughtUp } from '../live'

/** The tasks of each act that is not in the columns yet; null = any, where only the server knows which. */
const underWay = new Set<{ readonly tasks: ReadonlySet<number> | null }>()

/** Does what gives tasks answers. */
export async function asOwn(tasks: readonly number[] | null, act: () => Promise<void>): Promise<void> {
  const own = { tasks: tasks === null ? null : new Set(tasks) }
  underWay.add(own)
  try {
    await act()
    await caughtUp()
  } finally {
    underWay.delete(own)
  }
}

/** Whether an answer to this task that shows now may be the person's own. */
export function isOwn(task: number): boolean {
  return [...underWay].some(({ tasks }) => tasks === null || tasks.has(task))
}
