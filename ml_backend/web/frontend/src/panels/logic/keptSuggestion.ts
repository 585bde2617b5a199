/** A new order of the queue does not take the suggestion away that somebody is looking at. */

import type { Suggestion } from '../server'

/**
 * The new queue around the suggestion that is shown: what was walked past stays behind it, all else of the new queue comes
 * after it in its new order. shownRow, shownTask: as the map has it now, null = none is shown.
 */
export function withShown(before: readonly Suggestion[], fresh: readonly Suggestion[], shownRow: number | null, shownTask: number | null): readonly Suggestion[] {
  const at = before.findIndex(({ task }) => task === shownTask)
  const old = before[at]
  if (old === undefined || shownRow === null) return fresh
  const past = new Set(before.slice(0, at).map(({ task }) => task))
  const shown = fresh.find(({ task }) => task === shownTask) ?? { ...old, row: shownRow }
  const others = fresh.filter(({ task }) => task !== shownTask)
  return [...others.filter(({ task }) => past.has(task)), shown, ...others.filter(({ task }) => !past.has(task))]
}
