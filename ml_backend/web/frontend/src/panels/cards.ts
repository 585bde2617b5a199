/** What the server says of single items, asked for in batches and kept until labels or the publication move on. */

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { passes } from '../api'
import { columns, control, server } from '../state'
import { type Card, items } from './server'
import { problem } from './toasts'

const BATCH = 200
const REST_MILLISECONDS = 30
const RETRY_MILLISECONDS = 5000
const MOST_KEPT = 5000

interface Kept {
  readonly version: string
  readonly card: Card
}

const kept = new Map<number, Kept>()
const asked = new Set<number>()
/** Grows with each arrival, so that who shows cards draws again. */
const arrivals = signal(0)
let timer: number | null = null
let failed = false

/** Cards of these rows; null until they arrive. An outdated card is shown while its successor is on its way, but none of another task. */
export function useCards(rows: readonly number[]): (Card | null)[] {
  const version = versionNow()
  arrivals.value
  useEffect(() => {
    for (const row of rows) if (kept.get(row)?.version !== version) asked.add(row)
    schedule()
  }, [rows.join(), version])
  const { ids } = columns.peek()
  return rows.map((row) => {
    const card = kept.get(row)?.card ?? null
    return card?.task === ids[row] ? card : null
  })
}

function versionNow(): string {
  const versions = server.value?.versions
  return `${control.value}|${versions?.publication}|${versions?.labels}|${versions?.rows}`
}

function schedule(pause = REST_MILLISECONDS): void {
  if (timer !== null || asked.size === 0) return
  timer = window.setTimeout(() => {
    timer = null
    void ask()
  }, pause)
}

async function ask(): Promise<void> {
  const rows = [...asked].slice(0, BATCH)
  for (const row of rows) asked.delete(row)
  const version = versionNow()
  let pause = REST_MILLISECONDS
  try {
    for (const card of await items(rows, control.value)) {
      // An answer that took long comes after the one to a later question.
      if (kept.get(card.row)?.version !== versionNow()) kept.set(card.row, { version, card })
    }
    failed = false
    while (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value ?? -1)
    arrivals.value++
  } catch (error) {
    if (!failed) problem(error)
    failed = true
    if (passes(error)) {
      for (const row of rows) asked.add(row)
      pause = RETRY_MILLISECONDS
    }
  }
  schedule(pause)
}
