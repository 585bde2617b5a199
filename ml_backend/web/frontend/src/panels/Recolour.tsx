import { useState } from 'preact/hooks'
import { refreshState } from '../live'
import { CLASS_COLOURS } from '../map'
import { control } from '../state'
import { classNames } from './classes'
import { recolour } from './server'
import { whenSignedIn } from './signInActions'
import { problem } from './toasts'

interface Props {
  readonly index: number
  readonly colour: string
  readonly onDone: () => void
}

/** Another colour for a class, for everybody who looks at this map. */
export function Recolour({ index, colour, onDone }: Props) {
  const [typed, setTyped] = useState(colour)
  const name = classNames.value[index] ?? ''
  const take = (chosen: string): void => {
    whenSignedIn(`recolour “${name}”`, async () => {
      try {
        await recolour(control.value, name, chosen)
        await refreshState()
        onDone()
      } catch (error) {
        problem(error)
      }
    })
  }
  const valid = /^#[0-9a-f]{6}$/i.test(typed)
  return (
    <div class="recolour" role="group" aria-label={`Colours for ${name}`}>
      <div class="row wrap">
        {CLASS_COLOURS.map((choice) => (
          <button key={choice} type="button" class="swatch-button" aria-label={choice} aria-pressed={choice === colour.toLowerCase()} onClick={() => take(choice)}>
            <span class="swatch" style={{ background: choice }} />
          </button>
        ))}
      </div>
      <div class="row">
        <input class="field grow small" aria-label="Colour as #rrggbb" value={typed} aria-invalid={!valid} onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Enter' && valid) take(typed) }} />
        <button type="button" class="button" disabled={!valid} onClick={() => take(typed)}>Take</button>
      </div>
    </div>
  )
}
