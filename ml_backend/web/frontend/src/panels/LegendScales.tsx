import { colourMode } from '../state'
import { rampColours } from '../map'

/** The ends of each scale in words: low, high. */
const ENDS: Readonly<Record<string, readonly [string, string]>> = {
  confidence: ['unsure', 'sure'],
  s_ood: ['among the labelled', 'outside'],
  novelty: ['usual', 'never seen'],
  aleatoric: ['sharp', 'blurred'],
  disagreement: ['agreed', 'disputed'],
  density: ['lonely', 'crowded'],
}

/** The scale of a colour mode that has no classes. */
export function Continuous() {
  const mode = colourMode.value
  const ends = ENDS[mode]
  if (ends === undefined) return <p class="quietly small">Each component has a colour; neighbouring numbers differ. The Components tab tells them apart.</p>
  const colours = rampColours(mode)
  return (
    <figure aria-label={`Scale from ${ends[0]} to ${ends[1]}`}>
      <div class="ramp" style={{ background: `linear-gradient(to right, ${colours.join(', ')})` }} />
      <figcaption class="row small"><span class="grow">{ends[0]}</span><span>{ends[1]}</span></figcaption>
    </figure>
  )
}
