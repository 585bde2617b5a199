/** All classes, by click, by digit or by typing; a new one where none fits. */

import { useState } from 'preact/hooks'
import { composes } from '../keyEvents'
import { classNames, currentClasses, fullNameOf, typedNames } from './classes'
import { ValueBeside } from './ClassName'
import { addClass, giveLabel } from './labelActions'
import { exists, keyOfClass, matching } from './logic/typeahead'
import { rejected } from './rejected'
import { TYPE_AHEAD } from './ui'


export function Palette() {
  const [typed, setTyped] = useState('')
  const [active, setActive] = useState(0)
  const found = matching(typedNames.value, typed)
  const creatable = typed.trim() !== '' && !exists(typedNames.value, typed)
  const take = (place: number): void => {
    const index = found[place]
    if (index !== undefined) giveLabel(index)
    else if (creatable) addClass(typed.trim())
    else return
    setTyped('')
    setActive(0)
    // So that the next digit, or Ctrl+Z, is a key again and not text.
    document.getElementById(TYPE_AHEAD)?.blur()
  }
  const keys = (event: KeyboardEvent): void => {
    if (composes(event)) return
    const last = found.length + (creatable ? 1 : 0) - 1
    if (event.key === 'Enter') take(typed.trim() === '' ? -1 : active)
    else if (event.key === 'ArrowDown') setActive(Math.min(last, active + 1))
    else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1))
    else if (event.key === 'Escape' && typed !== '') setTyped('')
    else if (event.key === 'Escape') event.currentTarget instanceof HTMLElement && event.currentTarget.blur()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="section">
      <input id={TYPE_AHEAD} class="field" type="text" autocomplete="off" spellcheck={false} placeholder="Type a class, Enter gives it" value={typed}
          role="combobox" aria-label="Type a class" aria-expanded="true" aria-controls="palette" aria-activedescendant={typed === '' ? undefined : `class-${active}`}
          onInput={(event) => { setTyped(event.currentTarget.value); setActive(0) }} onKeyDown={keys} />
      <ul class="palette" id="palette" role="listbox" aria-label="Classes">
        {found.map((index, place) => <Choice key={index} index={index} id={`class-${place}`} active={typed !== '' && place === active} onTake={() => take(place)} />)}
        {creatable && (
          <li role="option" id={`class-${found.length}`} aria-selected={active === found.length} class={`choice create ${active === found.length ? 'active' : ''}`} onClick={() => take(found.length)}>
            <span class="grow">Create the class “{typed.trim()}”</span><kbd>+</kbd>
          </li>
        )}
      </ul>
    </div>
  )
}

interface ChoiceProps {
  readonly index: number
  readonly id: string
  readonly active: boolean
  readonly onTake: () => void
}

function Choice({ index, id, active, onTake }: ChoiceProps) {
  const shown = currentClasses.value[index]
  if (shown === undefined) return null
  const out = rejected.value === index
  const key = keyOfClass(index, classNames.value)
  return (
    <li role="option" id={id} aria-selected={active} class={`choice ${active ? 'active' : ''} ${out ? 'rejected' : ''}`} onClick={onTake} title={out ? `${fullNameOf(index)} (rejected)` : fullNameOf(index)}>
      <span class="swatch" style={{ background: shown.colour }} />
      <span class="grow ellipsis">{shown.shown_as}</span>
      <ValueBeside index={index} />
      {key !== '' && <kbd>{key}</kbd>}
    </li>
  )
}
