import { phase, prior, steering } from './trainingActions'

/** The steps of the curriculum; each keeps the terms of the ones before. */
const PHASES: Readonly<Record<string, string>> = {
  reconstruction: 'Look: learn what items look like',
  prior: 'Group: form components',
  labels: 'Follow labels, too',
}
const PRIORS: Readonly<Record<string, string>> = {
  standard: 'Standard: one normal distribution',
  mixture: 'Mixture: one normal per component',
  vamp: 'VampPrior: learned pseudo-inputs',
}

export function Phases() {
  const known = steering.value
  if (known === null) return null
  return (
    <section class="section" aria-label="Curriculum">
      <label class="section">
        <span>Phase</span>
        <select class="field" value={phase.value ?? ''} onChange={(event) => (phase.value = event.currentTarget.value || null)}>
          <option value="">{`By itself (next: ${known.next_phase})`}</option>
          {Object.entries(PHASES).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
        </select>
      </label>
      <label class="section">
        <span>Prior of z</span>
        <select class="field" value={prior.value ?? ''} onChange={(event) => (prior.value = event.currentTarget.value || null)}>
          <option value="">{`As it is (${known.prior})`}</option>
          {Object.entries(PRIORS).map(([value, name]) => <option key={value} value={value}>{name}</option>)}
        </select>
      </label>
    </section>
  )
}
