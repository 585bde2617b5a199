import { useState } from 'preact/hooks'
import { composes } from '../keyEvents'
import { refreshState } from '../live'
import { CLASS_COLOURS } from '../map'
import { control } from '../state'
import { classNames, colourOf, nameOf } from './classes'
import { chooseLook } from './server'
import { whenSignedIn } from './signInActions'
import { problem } from './toasts'

/** As the server has it. */
const LONGEST_NAME = 80

interface Props {
  readonly index: number
  readonly onDone: () => void
}

/** Another colour or name for a class, for everybody who looks at this map. Label Studio keeps its value. */
export function ClassLook({ index, onDone }: Props) {
  const value = classNames.value[index] ?? '', name = nameOf(index)
  const choose = (look: Parameters<typeof chooseLook>[2], what: string): void => {
    whenSignedIn(`${what} “${name}”`, async () => {
      try {
        await chooseLook(control.value, value, look)
        await refreshState()
        onDone()
      } catch (error) {
        problem(error)
      }
    })
  }
  return (
    <div class="class-look section" role="group" aria-label={`Colour and name of ${name}`}>
      <Colour chosen={colourOf(index)} onTake={(colour) => choose({ colour }, 'recolour')} />
      <Name value={value} chosen={name} onTake={(shown_as) => choose({ shown_as }, 'rename')} />
    </div>
  )
}

function Colour({ chosen, onTake }: { readonly chosen: string; readonly onTake: (colour: string) => void }) {
  const [typed, setTyped] = useState(chosen)
  const valid = /^#[0-9a-f]{6}$/i.test(typed)
  return (
    <>
      <div class="row wrap">
        {CLASS_COLOURS.map((choice) => (
          <button key={choice} type="button" class="swatch-button" aria-label={choice} aria-pressed={choice === chosen.toLowerCase()} onClick={() => onTake(choice)}>
            <span class="swatch" style={{ background: choice }} />
          </button>
        ))}
      </div>
      <div class="row">
        <input class="field grow small" aria-label="Colour as #rrggbb" value={typed} aria-invalid={!valid} onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Enter' && valid) onTake(typed) }} />
        <button type="button" class="button" disabled={!valid} onClick={() => onTake(typed)}>Take</button>
      </div>
    </>
  )
}

/** value: the label config's, which an empty field brings back. */
function Name({ value, chosen, onTake }: { readonly value: string; readonly chosen: string; readonly onTake: (name: string) => void }) {
  const [typed, setTyped] = useState(chosen === value ? '' : chosen)
  return (
    <>
      <label class="row"><span class="small">Shown as</span>
        <input class="field grow small" value={typed} placeholder={value} maxLength={LONGEST_NAME} autocomplete="off" spellcheck={false} onInput={(event) => setTyped(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Enter' && !composes(event)) onTake(typed) }} />
        <button type="button" class="button" onClick={() => onTake(typed)}>Rename</button>
      </label>
      <p class="small quietly">{`On the map only, for everybody. In Label Studio it stays “${value}”; leave it empty to show that.`}</p>
    </>
  )
}
