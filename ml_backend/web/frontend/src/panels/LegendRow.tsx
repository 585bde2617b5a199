import { columns } from '../state'
import { fullNameOf, nameOf } from './classes'
import { ClassLook } from './ClassLook'
import type { ClassCount } from './logic/mapSummary'
import { NONE } from './logic/selectionSummary'
import { count } from './logic/words'
import { choose } from './selectionActions'
import { inView } from '../map'

interface Props {
  readonly entry: ClassCount
  readonly selected: number
  readonly colour: string
  readonly shown: boolean
  /** Whether its look is being chosen. */
  readonly choosing: boolean
  readonly onChoose: () => void
  /** byKeyboard: Enter and Space act at once, a pointer's click waits for a second one. */
  readonly onClick: (index: number, byKeyboard: boolean) => void
  readonly onAlone: (index: number) => void
}

export function LegendRow({ entry, selected, colour, shown, choosing, onChoose, onClick, onAlone }: Props) {
  const total = entry.human + entry.propagated
  const name = nameOf(entry.index)
  const said = `${fullNameOf(entry.index)}: ${selected > 0 ? `${count(selected)} of ` : ''}${count(total)}, ${count(entry.human)} by people`
  return (
    <li class={shown ? '' : 'off'}>
      <div class="row">
        {entry.index === NONE
          ? <span class="swatch-button"><span class="swatch" style={{ background: colour }} /></span>
          : <button type="button" class="swatch-button" aria-label={`Colour and name of ${name}`} title="Change its colour or its name on the map" aria-expanded={choosing} onClick={onChoose}><span class="swatch" style={{ background: colour }} /></button>}
        <button type="button" class="legend-row" aria-pressed={shown} title={`${said}. A click hides it, a double-click shows it alone.`} onClick={(event) => onClick(entry.index, event.detail === 0)}
          onKeyDown={(event) => { if (event.key === 'Enter' && event.shiftKey) { event.preventDefault(); onAlone(entry.index) } }}>
          <span class="grow ellipsis">{name}</span>
          <span class="figures small">{selected > 0 ? `${count(selected)} / ${count(total)}` : count(total)}</span>
          <span class="unseen">{`, ${count(entry.human)} by people`}</span>
        </button>
        <button type="button" class="button quiet icon pick" aria-label={`Select all of ${name} in view`} title="Select all in view" onClick={() => choose(ofClassInView(entry.index), name)}>⊕</button>
      </div>
      {choosing && <ClassLook index={entry.index} onDone={onChoose} />}
    </li>
  )
}

function ofClassInView(index: number): number[] {
  return inView().filter((row) => columns.value.class[row] === index)
}
