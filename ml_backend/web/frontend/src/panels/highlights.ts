/** Which points stay bright while the others are dimmed. */

import type { Filters } from '../state'
import { STATUS } from './logic/selectionSummary'

export const HIGHLIGHTS = {
  none: '– nothing –', human: 'people’s labels', propagated: 'spread labels', unnamed: 'unnamed', setAside: 'set aside', outside: 'outside the labels', changed: 'changed by training',
} as const
export type Highlight = keyof typeof HIGHLIGHTS

export const EVERYTHING: Filters = { changed: false, statuses: null, minOod: null }

const STATUSES: Partial<Readonly<Record<Highlight, readonly number[]>>> = {
  human: [STATUS.human],
  propagated: [STATUS.propagated],
  unnamed: [STATUS.none, STATUS.neverSeen],
  setAside: [STATUS.setAside],
}

export function filtersOf(highlight: Highlight, threshold: number): Filters {
  const statuses = STATUSES[highlight]
  return {
    changed: highlight === 'changed',
    statuses: statuses === undefined ? null : new Set(statuses),
    minOod: highlight === 'outside' ? threshold : null,
  }
}

export function highlightOf(filters: Filters): Highlight {
  if (filters.changed) return 'changed'
  if (filters.minOod !== null) return 'outside'
  const { statuses } = filters
  if (statuses === null) return 'none'
  const names = Object.keys(STATUSES) as Highlight[]
  return names.find((name) => STATUSES[name]?.every((status) => statuses.has(status))) ?? 'none'
}
