/** How far the labelling is, and how good it is by now. */

import { filters, server, trouble, type ShownControl } from '../state'
import { currentClasses } from './classes'
import { count, percent, plural, range } from './logic/words'
import { EVERYTHING } from './highlights'
import { train, trainingReason } from './trainingActions'

export function Progress() {
  const state = server.value
  if (state === null) return <section class="section" aria-label="Progress">{trouble.value === null && <p class="quietly">Loading …</p>}</section>
  const { progress, changed, components, used_components: used } = state
  return (
    <section class="section progress-now" aria-label="Progress">
      <h2>Progress</h2>
      <Measure name="Labelled" share={progress.tasks > 0 ? progress.labelled / progress.tasks : 0} said={`${count(progress.labelled)} of ${count(progress.tasks)}`} />
      <Measure name="Labelled groups" share={progress.covered_mass} said={`${percent(progress.covered_mass)} of items`} title={`Share of the items whose component holds a label of its own (${used} of ${components} components are used); labels reach further than that`} />
      <div class="heading" title="Estimated on the labelled items, each left out in turn, with its interval">
        <span>Accuracy</span>
        {progress.accuracy === null
          ? <span class="quietly small">{whatIsMissing(state.controls)}</span>
          : <span class="figures"><b>{percent(progress.accuracy.estimate)}</b> <span class="quietly small">{range(progress.accuracy.low, progress.accuracy.high)}</span></span>}
      </div>
      {progress.accuracy !== null && <Interval {...progress.accuracy} />}
      <PerClass />
      {progress.unreadable > 0 && <p class="small quietly">{`${plural(progress.unreadable, 'task')} could not be read and ${progress.unreadable === 1 ? 'is' : 'are'} not on the map.`}</p>}
      {changed.count > 0 && <Changed n={changed.count} />}
      <Running />
    </section>
  )
}

/** Labels of one class alone cannot be wrong about each other: they promise no accuracy. */
function whatIsMissing(controls: readonly ShownControl[]): string {
  const labelled = Math.max(0, ...controls.map(({ classes }) => classes.filter(({ human }) => human > 0).length))
  return labelled === 0 ? 'needs labels of two classes' : labelled === 1 ? 'needs labels of a second class' : 'needs two labels of one class'
}

function Measure({ name, share, said, title }: { readonly name: string; readonly share: number; readonly said: string; readonly title?: string }) {
  return (
    <div title={title}>
      <div class="heading measure"><span>{name}</span><span class="figures quietly small">{said}</span></div>
      <div class="bar" aria-hidden="true"><span style={{ width: `${100 * Math.min(1, share)}%` }} /></div>
    </div>
  )
}

/** Where the accuracy may lie, on a line from 0 to 1. */
function Interval({ estimate, low, high }: { readonly estimate: number; readonly low: number; readonly high: number }) {
  return (
    <div class="bar interval" aria-hidden="true">
      <span style={{ left: `${100 * low}%`, width: `${100 * (high - low)}%` }} />
      <i style={{ left: `${100 * estimate}%` }} />
    </div>
  )
}

function PerClass() {
  const classes = currentClasses.value
  const without = classes.filter(({ human }) => human === 0).length
  return (
    <details>
      <summary>{`Labels per class${without > 0 ? ` · ${without} without` : ''}`}</summary>
      <div class="scrolls per-class" tabIndex={0} role="region" aria-label="Labels per class">
        <table class="figures">
          <thead><tr><th scope="col">Class</th><th scope="col">By people</th><th scope="col">Spread to</th></tr></thead>
          <tbody>{classes.map(({ name, shown_as, human, propagated }) => <tr key={name}><th scope="row">{shown_as}</th><td>{count(human)}</td><td>{count(propagated)}</td></tr>)}</tbody>
        </table>
      </div>
    </details>
  )
}

/** What the last training changed, and only that when wanted. */
function Changed({ n }: { readonly n: number }) {
  const on = filters.value.changed
  return (
    <button type="button" class="button" aria-pressed={on} onClick={() => (filters.value = on ? EVERYTHING : { ...EVERYTHING, changed: true })}>
      {on ? `Showing ${count(n)} that changed` : `${count(n)} changed label – show`}
    </button>
  )
}

function Running() {
  const training = server.value?.training
  if (training === undefined || training.status === 'idle') {
    const reason = trainingReason.value
    return <button type="button" class="button" aria-disabled={reason !== null} title={reason ?? 'T'} onClick={() => train(1)}>Train 1 epoch <kbd>T</kbd></button>
  }
  const share = training.epochs > 0 ? training.epoch / training.epochs : 0
  return <Measure name={training.status === 'queued' ? 'Training waits' : 'Training'} share={share} said={`epoch ${training.epoch} of ${training.epochs}`} />
}
