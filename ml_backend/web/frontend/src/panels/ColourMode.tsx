import { colourMode, columns, filters, oodThreshold } from '../state'
import { count, percent } from './logic/words'
import { filtersOf, HIGHLIGHTS, highlightOf, type Highlight } from './highlights'
import { atLeast } from './logic/levels'

type Mode = typeof colourMode.value

/** Each way to colour the points, in a labeller's words. */
const MODES: readonly { readonly mode: Mode; readonly name: string; readonly meaning: string }[] = [
  { mode: 'label', name: 'Label', meaning: 'The class; paler where Lantern is less sure' },
  { mode: 'confidence', name: 'Confidence', meaning: 'How sure the prediction is' },
  { mode: 's_ood', name: 'Outside the labels', meaning: 'How far from everything labelled so far' },
  { mode: 'novelty', name: 'Novelty', meaning: 'How unlike everything in the project' },
  { mode: 'aleatoric', name: 'Noise (sigma)', meaning: 'How blurred the item is to the model' },
  { mode: 'disagreement', name: 'Disagreement', meaning: 'Where people, or a label and its neighbours, differ' },
  { mode: 'density', name: 'Density', meaning: 'How crowded the neighbourhood is' },
  { mode: 'component', name: 'Component', meaning: 'Which group of the model it belongs to' },
]

export function ColourMode() {
  const shown = MODES.find(({ mode }) => mode === colourMode.value)
  const beyond = atLeast(columns.value.s_ood, oodThreshold.value)
  return (
    <section class="section" aria-label="Colours">
      <label class="section">
        <span class="heading"><h2>Colour by</h2><kbd>C</kbd></span>
        <select class="field" value={colourMode.value} onChange={(event) => (colourMode.value = event.currentTarget.value as Mode)}>
          {MODES.map(({ mode, name }) => <option key={mode} value={mode}>{name}</option>)}
        </select>
      </label>
      <p class="quietly small">{shown?.meaning}</p>
      <div class="heading">
        <label for="ood-threshold">Ring outside from</label>
        <output for="ood-threshold">{`${percent(oodThreshold.value)} · ${count(beyond)}`}</output>
      </div>
      <input id="ood-threshold" type="range" min="0" max="1" step="0.01" value={oodThreshold.value} aria-valuetext={`${percent(oodThreshold.value)}, ${count(beyond)} items`}
        onInput={(event) => moveThreshold(event.currentTarget.valueAsNumber)} />
      <Highlights />
    </section>
  )
}

/** The ring and, where it is used, the filter. */
function moveThreshold(value: number): void {
  oodThreshold.value = value
  if (filters.value.minOod !== null) filters.value = { ...filters.value, minOod: value }
}

/** Dims all but some points; none vanishes. */
function Highlights() {
  return (
    <label class="row">
      <span>Dim all but</span>
      <select class="field grow" value={highlightOf(filters.value)} onChange={(event) => (filters.value = filtersOf(event.currentTarget.value as Highlight, oodThreshold.value))}>
        {Object.entries(HIGHLIGHTS).map(([highlight, name]) => <option key={highlight} value={highlight}>{name}</option>)}
      </select>
    </label>
  )
}
