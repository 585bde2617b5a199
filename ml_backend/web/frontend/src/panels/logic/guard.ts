/** When a label asks back before it is given, and with which words. */

import { type Described, NONE, STATUS } from './selectionSummary'
import { count, percent, plural } from './words'

/** From here on a label always asks. */
export const MANY = 1000
/** From here on a label asks when most of the predictions speak of other classes. */
export const SOME = 100
const MIXED = 0.5

export interface Assignment {
  /** Items that get the label. */
  readonly items: number
  /** A person's labels among the selected: left alone, or replaced with `overwrite`. */
  readonly human: number
  readonly overwrite: boolean
  /** Share of the items with a prediction whose prediction is this very class, 0..1; null without predictions. */
  readonly purity: number | null
}

/** Counts what a label of class `index` would do to `rows`, of which `chosen` are labelled. */
export function assignment(
  columns: Described, rows: Iterable<number>, chosen: readonly number[], index: number, overwrite: boolean,
): Assignment {
  let human = 0
  for (const row of rows) if (columns.status[row] === STATUS.human) human++
  let named = 0, same = 0
  for (const row of chosen) {
    if (columns.class[row] === NONE) continue
    named++
    if (columns.class[row] === index) same++
  }
  return { items: chosen.length, human, overwrite, purity: named > 0 ? same / named : null }
}

/** Whether a person should be asked first. */
export function asks(ask: Assignment): boolean {
  if (ask.items >= MANY) return true
  if (ask.overwrite && ask.human > 0 && ask.items > 1) return true
  return ask.items >= SOME && ask.purity !== null && ask.purity < MIXED
}

/** "Assign “refund” to 12,480 items? 37 are labelled by people (kept). 82% are predicted “refund”." */
export function question(label: string, ask: Assignment): string {
  const words = [`Assign “${label}” to ${plural(ask.items, 'item')}?`]
  if (ask.human > 0) {
    const fate = ask.overwrite ? 'replaced' : 'kept'
    words.push(ask.human === 1 ? `1 is labelled by a person (${fate}).` : `${count(ask.human)} are labelled by people (${fate}).`)
  }
  words.push(ask.purity === null ? 'None of them has a prediction.' : `${percent(ask.purity)} are predicted “${label}”.`)
  return words.join(' ')
}
