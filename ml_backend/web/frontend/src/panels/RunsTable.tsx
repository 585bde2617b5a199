/** Each training with its weights and what came of it; two can be compared, each can be taken back into use. */

import { useState } from 'preact/hooks'
import { compare, sameWeights, type Difference } from './logic/losses'
import { ago, count, figure, percent, signed } from './logic/words'
import type { Run } from './server'
import { restore, steering } from './trainingActions'

export function RunsTable({ runs }: { readonly runs: readonly Run[] }) {
  const [ticked, setTicked] = useState<readonly Run['id'][]>([])
  if (runs.length === 0) return null
  const tick = (id: Run['id']): void => setTicked(ticked.includes(id) ? ticked.filter((other) => other !== id) : [...ticked, id].slice(-2))
  const [first, second] = runs.filter(({ id }) => ticked.includes(id)).reverse()
  return (
    <section class="section" aria-label="Runs">
      <h2>Runs</h2>
      <p class="small quietly">Tick two to compare them.</p>
      <ol class="runs">{runs.map((run) => <Entry key={run.id} run={run} ticked={ticked.includes(run.id)} onTick={() => tick(run.id)} />)}</ol>
      {first !== undefined && second !== undefined && <Comparison first={first} second={second} />}
    </section>
  )
}

function Entry({ run, ticked, onTick }: { readonly run: Run; readonly ticked: boolean; readonly onTick: () => void }) {
  const { effect } = run
  return (
    <li>
      <div class="row">
        <label class="tick grow"><input type="checkbox" checked={ticked} onChange={onTick} /><span><b>{`Run ${run.id}`}</b> <span class="quietly small">{inWords(run)}</span></span></label>
        {run.restorable && <button type="button" class="button quiet" aria-label={`Restore run ${run.id}`} title="Use the model of this run again" onClick={() => restore(run.id)}>Restore</button>}
      </div>
      <div class="small quietly">
        {effect?.accuracy != null && <>Accuracy {percent(effect.accuracy)}{effect.accuracy_before != null && ` (${signed(100 * (effect.accuracy - effect.accuracy_before), 2)} points)`} · </>}
        {effect?.usage != null && <>{`${count(Math.round(effect.usage))} components in use`} · </>}
        {effect?.changed != null && <>{`${count(effect.changed)} changed label`} · </>}
        {weightsInWords(run)}
      </div>
      {run.error !== null && <p class="small trouble">{run.error}</p>}
    </li>
  )
}

function inWords(run: Run): string {
  const parts = [run.stopped ? 'stopped' : run.status, `${run.epochs.length} epoch${run.epochs.length === 1 ? '' : 's'}`, run.requested_by, run.phase, ago(run.finished_at ?? run.started_at, new Date())]
  return parts.filter((part) => part !== null && part !== undefined && part !== '').join(' · ')
}

/** "usual weights", or what was different. */
function weightsInWords(run: Run): string {
  const usual = steering.value?.defaults ?? null
  if (run.weights === null || sameWeights(run.weights, usual)) return 'usual weights'
  const different = Object.entries(run.weights).filter(([term, value]) => usual === null || usual[term as keyof typeof usual] !== value)
  return different.map(([term, value]) => `${term} ${value}`).join(', ')
}

function Comparison({ first, second }: { readonly first: Run; readonly second: Run }) {
  const { weights, losses } = compare(first, second)
  const effects: Difference[] = [
    { name: 'Accuracy', first: first.effect?.accuracy ?? null, second: second.effect?.accuracy ?? null },
    { name: 'Components in use', first: first.effect?.usage ?? null, second: second.effect?.usage ?? null },
    { name: 'Changed label', first: first.effect?.changed ?? null, second: second.effect?.changed ?? null },
  ]
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="Comparison of two runs">
      <table class="figures">
        <caption class="unseen">{`Run ${first.id} beside run ${second.id}`}</caption>
        <thead><tr><th scope="col"><span class="unseen">What</span></th><th scope="col">{`Run ${first.id}`}</th><th scope="col">{`Run ${second.id}`}</th><th scope="col">Change</th></tr></thead>
        <Group title="Effect" rows={effects} />
        <Group title={weights.length === 0 ? 'Weights (the same)' : 'Weights that differ'} rows={weights} />
        <Group title="Losses of the last epoch" rows={losses} />
      </table>
    </div>
  )
}

function Group({ title, rows }: { readonly title: string; readonly rows: readonly Difference[] }) {
  return (
    <tbody>
      <tr><th scope="rowgroup" colSpan={4} class="group">{title}</th></tr>
      {rows.map(({ name, first, second }) => (
        <tr key={name}><th scope="row">{name}</th><td>{figure(first)}</td><td>{figure(second)}</td><td>{first !== null && second !== null ? signed(second - first) : '–'}</td></tr>
      ))}
    </tbody>
  )
}
