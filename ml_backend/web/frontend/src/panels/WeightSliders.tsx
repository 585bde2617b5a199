/** The weight of each loss term: a slider, a box, what it contributes at present, and the way back. */

import { useState } from 'preact/hooks'
import { TERM_WORDS, TERMS, type Term, type Weights } from './logic/losses'
import { stopOf, typedWeight, valueAt, WEIGHT_SCALE, weightInWords } from './logic/scale'
import { percent } from './logic/words'
import { moved, resetWeights, setWeight, shownWeights, steering, usePreset } from './trainingActions'

export function WeightSliders() {
  const weights = shownWeights.value
  const known = steering.value
  if (weights === null || known === null) return <p class="quietly">Loading …</p>
  return (
    <section class="section" aria-label="Loss weights">
      <div class="heading">
        <h2>Loss weights</h2>
        <select class="field" aria-label="Preset" value="" onChange={(event) => choosePreset(event.currentTarget)}>
          <option value="">Preset …</option>
          {Object.keys(known.presets).map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
        <button type="button" class="button" disabled={!moved.value} onClick={resetWeights}>Reset all</button>
      </div>
      <p class="small quietly">The next training uses these. The bars show what each term adds to the loss at present.</p>
      <ul class="weights">
        {TERMS.map((term) => <Weight key={term} term={term} value={weights[term]} usual={known.defaults[term]} share={known.contributions?.[term] ?? null} />)}
      </ul>
    </section>
  )
}

function choosePreset(select: HTMLSelectElement): void {
  const preset = steering.value?.presets[select.value] as Weights | undefined
  select.value = ''
  if (preset !== undefined) usePreset(preset)
}

interface WeightProps {
  readonly term: Term
  readonly value: number
  readonly usual: number
  /** Share of the loss of the last epoch, or null. */
  readonly share: number | null
}

function Weight({ term, value, usual, share }: WeightProps) {
  const [typed, setTyped] = useState<string | null>(null)
  const { name, meaning } = TERM_WORDS[term]
  const id = `weight-${term}`
  const take = (text: string): void => {
    setTyped(text)
    const weight = typedWeight(text)
    if (weight !== null) setWeight(term, weight)
  }
  return (
    <li>
      <div class="weight-head">
        <label for={id} title={meaning}>{name}</label>
        <span class="contribution" title={share === null ? 'Not known before the first epoch' : `${percent(share)} of the loss`}>
          <span class="bar" aria-hidden="true"><span style={{ width: `${100 * Math.min(1, Math.max(0, share ?? 0))}%` }} /></span>
          <span class="small quietly figures">{share === null ? '–' : percent(share)}</span>
        </span>
      </div>
      <div class="weight-set">
        <input id={id} type="range" min="0" max={WEIGHT_SCALE.stops} step="1" value={stopOf(value, WEIGHT_SCALE)} aria-valuetext={weightInWords(value)}
          onInput={(event) => { setTyped(null); setWeight(term, valueAt(event.currentTarget.valueAsNumber, WEIGHT_SCALE)) }} />
        <output for={id} class="unseen">{weightInWords(value)}</output>
        <input class={`field weight-box ${value === 0 ? 'off' : ''}`} type="text" inputMode="decimal" aria-label={`${name}, as a number`} value={typed ?? String(value)}
          aria-invalid={typed !== null && typedWeight(typed) === null} onInput={(event) => take(event.currentTarget.value)} onBlur={() => setTyped(null)} />
        <button type="button" class="button quiet icon" disabled={value === usual} aria-label={`Reset ${name} to ${usual}`} title={`Back to ${usual}`} onClick={() => { setTyped(null); setWeight(term, usual) }}>↺</button>
      </div>
    </li>
  )
}
