import { useState } from 'preact/hooks'
import { columns } from '../state'
import { acceptPredictions } from './labelActions'
import { plural } from './logic/words'

const START = 0.9

interface Props {
  /** The rows whose prediction is at least this sure. */
  readonly candidates: (confidence: number) => readonly number[]
  readonly component: number | null
  /** "in the selection". */
  readonly what: string
}

/** Takes all predictions above a confidence as labels. */
export function AcceptBar({ candidates, component, what }: Props) {
  const [confidence, setConfidence] = useState(START)
  // Read, so that the count follows the labels.
  void columns.value
  const rows = candidates(confidence)
  const id = `accept-${component ?? 'selection'}`
  return (
    <section class="section" aria-label={`Accept predictions ${what}`}>
      <div class="heading">
        <label for={id}>{`Accept predictions ${what}`}</label>
        <output for={id}>{`from ${confidence.toFixed(2)}`}</output>
      </div>
      <div class="row">
        <input id={id} class="grow" type="range" min="0" max="1" step="0.01" value={confidence} onInput={(event) => setConfidence(event.currentTarget.valueAsNumber)} />
        <button type="button" class="button" disabled={rows.length === 0} onClick={() => acceptPredictions(rows, confidence, component)}>{`Accept ${plural(rows.length, 'item')}`}</button>
      </div>
    </section>
  )
}
