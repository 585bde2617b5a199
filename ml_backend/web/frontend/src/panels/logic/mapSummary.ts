/** The map in words, for people who do not see it. */

import { countPresent, isPresent } from '../../absent'
import { type Described, NONE, STATUS } from './selectionSummary'
import { count, percent, plural } from './words'

export interface ClassCount {
  readonly index: number
  readonly human: number
  readonly propagated: number
}

const NAMED_CLASSES = 5

/** What people and Lantern named, by class; index NONE holds what has no name. Largest first. rows: null for all. */
export function classCounts(columns: Pick<Described, 'class' | 'status'>, rows: Uint32Array | null): ClassCount[] {
  // Arrays rather than a map: a million items are counted with every new label.
  const human = new Uint32Array(NONE + 1), propagated = new Uint32Array(NONE + 1)
  const n = rows === null ? columns.class.length : rows.length
  for (let i = 0; i < n; i++) {
    const row = rows === null ? i : (rows[i] ?? 0)
    if (!isPresent(columns, row)) continue
    const counts = columns.status[row] === STATUS.human ? human : propagated
    const index = columns.class[row] ?? NONE
    counts[index] = (counts[index] ?? 0) + 1
  }
  const found: ClassCount[] = []
  for (let index = 0; index <= NONE; index++) {
    const entry = { index, human: human[index] ?? 0, propagated: propagated[index] ?? 0 }
    if (entry.human + entry.propagated > 0) found.push(entry)
  }
  return found.sort((a, b) => b.human + b.propagated - (a.human + a.propagated) || a.index - b.index)
}

/** A few sentences: how much, what of it people labelled, the largest classes, what is strange, what is selected. */
export function mapInWords(columns: Described, names: readonly string[], selected: number, threshold: number): string {
  const n = countPresent(columns)
  if (n === 0) return 'The map is empty.'
  const limit = Math.round(threshold * 255)
  let human = 0, never = 0, odd = 0
  for (let row = 0; row < columns.status.length; row++) {
    if (!isPresent(columns, row)) continue
    if (columns.status[row] === STATUS.human) human++
    if (columns.status[row] === STATUS.neverSeen) never++
    if ((columns.s_ood[row] ?? 0) >= limit) odd++
  }
  const classes = classCounts(columns, null)
  const largest = classes.filter(({ index }) => index !== NONE).slice(0, NAMED_CLASSES)
  const unnamed = classes.find(({ index }) => index === NONE)
  const sentences = [`Map of ${plural(n, 'item')}; people labelled ${count(human)} (${percent(human / n)}).`]
  if (largest.length > 0) {
    const each = largest.map((entry) => `${names[entry.index] ?? '?'} ${count(entry.human + entry.propagated)}`)
    sentences.push(`Largest classes: ${each.join(', ')}.`)
  }
  if (unnamed !== undefined) sentences.push(`${plural(unnamed.human + unnamed.propagated, 'item')} without a name.`)
  if (never > 0) sentences.push(`${plural(never, 'item')} like nothing seen before.`)
  sentences.push(`${plural(odd, 'item')} outside what is labelled.`)
  sentences.push(selected > 0 ? `${count(selected)} selected.` : 'Nothing is selected.')
  return sentences.join(' ')
}
