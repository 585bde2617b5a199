/** The epochs of all runs in a row, as the loss chart and its table show them. */

import { count, percent, signed } from './words'

export const TERMS = ['reconstruction', 'kl', 'prior', 'spread', 'sparsity', 'classification', 'contrastive'] as const
export type Term = (typeof TERMS)[number]
export type Weights = Readonly<Record<Term, number>>

export interface TermWords {
  readonly name: string
  readonly meaning: string
}

export const TERM_WORDS: Readonly<Record<Term, TermWords>> = {
  reconstruction: { name: 'Reconstruction', meaning: 'Keep what each item looks like' },
  kl: { name: 'KL', meaning: 'Keep each component compact' },
  prior: { name: 'Prior', meaning: 'Keep components near their usual share and place' },
  spread: { name: 'Spread', meaning: 'Early on: use many components' },
  sparsity: { name: 'Sparsity', meaning: 'Later: empty the components that are hardly used' },
  classification: { name: 'Classification', meaning: 'Follow the labels' },
  contrastive: { name: 'Contrastive', meaning: 'Keep neighbours in the same component' },
}

export interface EpochLosses {
  readonly losses: Readonly<Record<string, number>>
  readonly weighted: Readonly<Record<string, number>>
}

export interface RunLosses {
  readonly id: number | string
  readonly weights: Readonly<Record<string, number>> | null
  readonly epochs: readonly EpochLosses[]
}

export interface LossLines {
  /** 1..E over all runs. */
  readonly epochs: number[]
  /** Run of each epoch. */
  readonly runs: RunLosses['id'][]
  readonly total: (number | null)[]
  readonly terms: Readonly<Record<Term, (number | null)[]>>
  /** Epochs (1..E) before which the weights changed. */
  readonly changes: number[]
}

/** runs: oldest first. weighted: each term times its weight, as they add up to the total. */
export function lossLines(runs: readonly RunLosses[], weighted: boolean): LossLines {
  const terms = Object.fromEntries(TERMS.map((term) => [term, [] as (number | null)[]])) as Record<Term, (number | null)[]>
  const epochs: number[] = [], ids: RunLosses['id'][] = [], total: (number | null)[] = [], changes: number[] = []
  let before: RunLosses['weights'] | undefined
  for (const run of runs) {
    if (run.epochs.length === 0) continue
    if (before !== undefined && !sameWeights(before, run.weights)) changes.push(epochs.length + 1)
    before = run.weights
    for (const epoch of run.epochs) {
      epochs.push(epochs.length + 1)
      ids.push(run.id)
      const shown = weighted ? epoch.weighted : epoch.losses
      for (const term of TERMS) terms[term].push(shown[term] ?? null)
      total.push(totalOf(epoch))
    }
  }
  return { epochs, runs: ids, total, terms, changes }
}

interface Ended {
  readonly id: number | string
  readonly stopped: boolean
  readonly error: string | null
  readonly effect: { readonly accuracy: number | null; readonly accuracy_before: number | null; readonly changed: number | null } | null
}

/** “Run 7 is done: 158 changed label, accuracy 92% (+2 points).” */
export function runInWords(run: Ended): string {
  if (run.error !== null) return `Run ${run.id} failed: ${run.error}`
  const { accuracy = null, accuracy_before: before = null, changed = null } = run.effect ?? {}
  const parts: string[] = []
  if (changed !== null) parts.push(`${count(changed)} changed label`)
  if (accuracy !== null) parts.push(`accuracy ${percent(accuracy)}${before === null ? '' : ` (${signed(100 * (accuracy - before), 2)} points)`}`)
  const how = run.stopped ? 'was stopped' : 'is done'
  return `Run ${run.id} ${how}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}.`
}

/** What the optimiser minimises: the server's total, or the weighted terms added up. */
export function totalOf(epoch: EpochLosses): number | null {
  const named = epoch.weighted['total'] ?? epoch.losses['total']
  if (named !== undefined) return named
  const values = TERMS.map((term) => epoch.weighted[term]).filter((value): value is number => value !== undefined)
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : null
}

/** A logarithmic axis has no place for 0 and below. */
export function positive(values: readonly (number | null)[]): (number | null)[] {
  return values.map((value) => (value !== null && value > 0 ? value : null))
}

export function sameWeights(a: RunLosses['weights'], b: RunLosses['weights']): boolean {
  if (a === null || b === null) return a === b
  return TERMS.every((term) => (a[term] ?? 0) === (b[term] ?? 0))
}

export interface Difference {
  readonly name: string
  readonly first: number | null
  readonly second: number | null
}

/** Two runs side by side: the weights that differ, then the last losses of each. */
export function compare(first: RunLosses, second: RunLosses): { weights: Difference[]; losses: Difference[] } {
  const lastOf = (run: RunLosses): EpochLosses['losses'] => run.epochs[run.epochs.length - 1]?.losses ?? {}
  const [a, b] = [lastOf(first), lastOf(second)]
  const rows = (left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>): Difference[] =>
    TERMS.map((term) => ({ name: TERM_WORDS[term].name, first: left[term] ?? null, second: right[term] ?? null }))
  return {
    weights: rows(first.weights ?? {}, second.weights ?? {}).filter((row) => row.first !== row.second),
    losses: rows(a, b),
  }
}
