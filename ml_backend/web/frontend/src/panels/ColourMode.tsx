import { useMemo } from 'preact/hooks'
import { presentValues } from '../absent'
import { colourMode, columns, filters, oodThreshold } from '../state'
import { plural } from './logic/words'
import { moveThreshold } from './threshold'
import { filtersOf, HIGHLIGHTS, highlightOf, type Highlight } from './highlights'
import { atLeast, rangeOf } from './logic/levels'

type Mode = typeof colourMode.value

/** Each way to colour the points, in a labeller's words. */
const MODES: readonly { readonly mode: Mode; readonly name: string; readonly meaning: string }[] = [
  { mode: 'label', name: 'Label', meaning: 'The class; paler: less sure' },
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
  return (
    <section class="section" aria-label="Colours">
      <label class="row">
        <h2>Colour by</h2>
        <select class="field grow" title="C" value={colourMode.value} onChange={(event) => (colourMode.value = event.currentTarget.value as Mode)}>
          {MODES.map(({ mode, name }) => <option key={mode} value={mode}>{name}</option>)}
        </select>
      </label>
      <p class="quietly small">{shown?.meaning}</p>
      <Threshold />
      <Highlights />
    </section>
  )
}

/** From which s_OOD on points are ringed, over the range that the items have. */
function Threshold() {
  const { s_ood, status } = columns.value, threshold = oodThreshold.value
  const values = useMemo(() => presentValues({ status }, s_ood), [s_ood, status])
  const [least, most] = useMemo(() => rangeOf(values), [values])
  const beyond = useMemo(() => atLeast(values, threshold), [values, threshold])
  return (
    <div>
      <div class="heading">
        <label for="ood-threshold">Ring what is outside</label>
        <output for="ood-threshold" title={`${threshold.toFixed(3)} s_OOD`}>{plural(beyond, 'item')}</output>
      </div>
      <input id="ood-threshold" type="range" min={least} max={most + 1} step="1" value={Math.round(threshold * 255)} aria-valuetext={`from ${threshold.toFixed(3)}: ${plural(beyond, 'item')}`}
        onInput={(event) => moveThreshold(event.currentTarget.valueAsNumber / 255)} />
    </div>
  )
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
