/** What to label next and why. */

import { clearSelection } from '../actions'
import { columns, current, selection, server } from '../state'
import { useCards } from './cards'
import { ClassName } from './ClassName'
import { classNames } from './classes'
import { giveAnswer, sendLabel } from './labelActions'
import { count, percent, plural } from './logic/words'
import { OutsideLink } from './OutsideLink'
import { Palette } from './Palette'
import { acceptCurrent, answered, goTo, loadQueue, rejectCurrent, suggestions, walk } from './queueActions'
import type { Card, Suggestion } from './server'
import { taskAddress } from './taskAddress'
import { Thumbnail } from './Thumbnail'
import { useReload } from './useReload'

/** What is less likely is not offered first. */
const LEAST_SHARE = 0.01

export function QueuePanel() {
  const versions = server.value?.versions
  useReload(loadQueue, [versions?.labels, versions?.publication, versions?.rows])
  const all = suggestions.value
  const cards = useCards(all.map(({ row }) => row))
  const at = all.findIndex(({ row }) => row === current.value)
  const shown = all[at]
  void columns.value
  return (
    <>
      <section class="section" aria-label="The suggestion">
        <div class="heading">
          <h2>{all.length === 0 ? 'Suggestions' : `Suggestion ${at >= 0 ? count(at + 1) : '–'} of ${count(all.length)}`}</h2>
          <button type="button" class="button" onClick={() => void walk(-1)}>Back <kbd>P</kbd></button>
          <button type="button" class="button" onClick={() => void walk(1)}>Next <kbd>N</kbd></button>
        </div>
        {shown !== undefined && <Selected n={selection.value.rows.length} />}
        {shown !== undefined ? <Current suggestion={shown} card={cards[at] ?? null} /> : <p class="note">Walk with N and P: the map flies to each item. Enter accepts its prediction, X rejects it, a number labels it.</p>}
        {/* Whatever becomes of the suggestion: who types on must not press keys. */}
        <Palette />
      </section>
      <ol class="queue" aria-label="All suggestions">
        {all.map((suggestion, i) => <Entry key={suggestion.task} suggestion={suggestion} card={cards[i] ?? null} />)}
      </ol>
    </>
  )
}

/** What is drawn around while a suggestion is shown gets the label in its place. */
function Selected({ n }: { readonly n: number }) {
  if (n === 0) return null
  return (
    <div class="note warn row">
      <span class="grow">{`Keys and classes go to the ${plural(n, 'selected item')}, not to this suggestion.`}</span>
      <button type="button" class="button" onClick={clearSelection}>Clear</button>
    </div>
  )
}

function Current({ suggestion, card }: { readonly suggestion: Suggestion; readonly card: Card | null }) {
  const address = taskAddress(suggestion.task)
  return (
    <div class="section current">
      <p class="reason">{suggestion.reason}</p>
      {card?.thumbnail && <Thumbnail row={suggestion.row} alt={card.text === '' ? `Picture of task ${suggestion.task}` : ''} />}
      {card !== null && card.text !== '' && <p class="card-text">{card.text}</p>}
      {card !== null && (
        <p>{card.predicted === null ? <span class="quietly">Nothing is predicted.</span> : <>Predicted <ClassName name={card.predicted} /> <b class="figures">{percent(card.confidence)}</b></>}</p>
      )}
      {card !== null && <Alternatives card={card} />}
      <div class="row wrap">
        <button type="button" class="button primary" disabled={card?.predicted == null} onClick={acceptCurrent}>Accept <kbd>Enter</kbd></button>
        <button type="button" class="button" onClick={rejectCurrent}>Reject <kbd>X</kbd></button>
        <button type="button" class="button" onClick={() => giveAnswer('skip')}>Skip <kbd>Space</kbd></button>
        <button type="button" class="button" onClick={() => giveAnswer('unsure')}>Unsure <kbd>U</kbd></button>
        <button type="button" class="button" onClick={() => giveAnswer('never_seen')}>Never seen</button>
      </div>
      {address !== null && <OutsideLink address={address} of="the task">{`Open task ${suggestion.task} in Label Studio`}</OutsideLink>}
    </div>
  )
}

/** What it may be instead, most likely first. */
function Alternatives({ card }: { readonly card: Card }) {
  const others = card.top.slice(1).filter(([, p]) => p >= LEAST_SHARE)
  if (others.length === 0) return null
  return (
    <div class="row wrap">
      <span class="quietly small">Or</span>
      {others.map(([name, p]) => {
        const index = classNames.value.indexOf(name)
        return index < 0 ? null : <button key={name} type="button" class="button" onClick={() => sendLabel(index, [card.row])}><ClassName name={name} gives /> <span class="quietly figures">{percent(p)}</span></button>
      })}
    </div>
  )
}

function Entry({ suggestion, card }: { readonly suggestion: Suggestion; readonly card: Card | null }) {
  const done = answered(suggestion.row)
  return (
    <li>
      <button type="button" class={`entry ${done ? 'done' : ''}`} aria-current={suggestion.row === current.value ? 'true' : undefined} onClick={() => goTo(suggestion)}>
        {card?.thumbnail && <Thumbnail row={suggestion.row} />}
        <span class="grow">
          <span class="ellipsis block">{card === null ? `Task ${suggestion.task}` : card.text || `Task ${suggestion.task}`}</span>
          <span class="small quietly block">{done ? 'answered' : suggestion.reason}</span>
        </span>
      </button>
    </li>
  )
}
