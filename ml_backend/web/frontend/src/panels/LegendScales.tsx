import { colourMode } from '../state'
import { rampColours } from '../map'
import { show } from './ui'

/** The ends of each scale in words: low, high. */
const ENDS: Readonly<Record<string, readonly [string, string]>> = {
  confidence: ['unsure', 'sure'],
  s_ood: ['among the labelled', 'outside'],
  novelty: ['usual', 'never seen'],
  aleatoric: ['sharp', 'blurred'],
  disagreement: ['agreed', 'disputed'],
  density: ['lonely', 'crowded'],
}

/** There are too many for a list here. */
function ByComponent() {
  return (
    <p class="quietly small">
      Each component has a colour; neighbouring numbers differ. To see one alone, pick it under <button type="button" class="button link" onClick={() => show('components')}>Components</button> and press <b>Select</b>: all others are dimmed.
    </p>
  )
}

/** The scale of a colour mode that has no classes. */
export function Continuous() {
  const mode = colourMode.value
  const ends = ENDS[mode]
  if (ends === undefined) return <ByComponent />
  const colours = rampColours(mode)
  return (
    <figure aria-label={`Scale from ${ends[0]} to ${ends[1]}`}>
      <div class="ramp" style={{ background: `linear-gradient(to right, ${colours.join(', ')})` }} />
      <figcaption class="row small"><span class="grow">{ends[0]}</span><span>{ends[1]}</span></figcaption>
    </figure>
  )
}
