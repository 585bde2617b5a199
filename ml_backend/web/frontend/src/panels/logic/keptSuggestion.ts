/** The suggestions follow their tasks, and a new order does not take the one away that somebody is looking at. */

import type { Suggestion } from '../server'

/** The suggestions under the rows that their tasks have now; those of which the map has no task are left out. */
export function placed(suggestions: readonly Suggestion[], ids: Uint32Array): readonly Suggestion[] {
  if (suggestions.every(({ row, task }) => ids[row] === task)) return suggestions
  const wanted = new Set(suggestions.map(({ task }) => task)), rows = new Map<number, number>()
  ids.forEach((task, row) => {
    if (wanted.has(task)) rows.set(task, row)
  })
  return suggestions.flatMap((suggestion) => {
    const row = rows.get(suggestion.task)
    return row === undefined ? [] : [{ ...suggestion, row }]
  })
}

/**
 * The new queue around the suggestion that is shown: what was walked past stays behind it, all else of the new queue comes
 * after it in its new order. shownTask: null = none is shown.
 */
export function withShown(before: readonly Suggestion[], fresh: readonly Suggestion[], shownTask: number | null): readonly Suggestion[] {
  const at = before.findIndex(({ task }) => task === shownTask)
  const old = before[at]
  if (old === undefined) return fresh
  const past = new Set(before.slice(0, at).map(({ task }) => task))
  const shown = fresh.find(({ task }) => task === shownTask) ?? old
  const others = fresh.filter(({ task }) => task !== shownTask)
  return [...others.filter(({ task }) => past.has(task)), shown, ...others.filter(({ task }) => !past.has(task))]
}
