/** A new queue does not take the suggestion away that somebody is looking at. */

import type { Suggestion } from '../server'

/** The new queue; before it the suggestion that is shown, where it is no longer among them. shownRow, shownTask: as the
 * map has it now, null = none is shown. */
export function withShown(before: readonly Suggestion[], fresh: readonly Suggestion[], shownRow: number | null, shownTask: number | null): readonly Suggestion[] {
  const shown = before.find(({ task }) => task === shownTask)
  if (shown === undefined || shownRow === null || fresh.some(({ task }) => task === shownTask)) return fresh
  return [{ ...shown, row: shownRow }, ...fresh]
}
