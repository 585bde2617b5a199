/** What is under the pointer, or pinned with a click. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { control, hovered, pinned, server } from '../state'
import { screenPosition } from '../map'
import { shownAs } from './classes'
import { ClassName } from './ClassName'
import { OutsideLink } from './OutsideLink'
import { moreLikeThis } from './searchActions'
import { type Card, item } from './server'
import { Thumbnail } from './Thumbnail'
import { useLoaded } from './useLoaded'
import { taskAddress } from './taskAddress'
import { percent } from './logic/words'
import { toasts } from './toasts'
import { announce } from './ui'

const WIDTH = 300
const AWAY = 14

export function HoverCard() {
  const [inside, setInside] = useState(false)
  const [kept, setKept] = useState<number | null>(null)
  const row = pinned.value ?? hovered.value ?? (inside ? kept : null)
  useEffect(() => { if (row !== null) setKept(row) }, [row])
  // Who unpins a card wants it gone; and of one that went from under the pointer nobody hears that the pointer left.
  useEffect(() => { if (pinned.value === null) setInside(false) }, [pinned.value])
  if (row === null) return null
  return <Shown key={row} row={row} onInside={setInside} />
}

function Shown({ row, onInside }: { readonly row: number; readonly onInside: (inside: boolean) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const versions = server.value?.versions
  const { value: card, error } = useLoaded(`${row}|${control.value}|${versions?.labels}|${versions?.publication}`, () => item(row, control.value))
  const [place, setPlace] = useState<Place | null>(null)
  const messages = toasts.value.length
  useEffect(() => setPlace(placeBeside(row, box.current)), [row, card, messages])
  const isPinned = pinned.value === row
  useEffect(() => { if (isPinned && card !== null) announce(spoken(card)) }, [isPinned, card])
  return (
    <div ref={box} class={`card ${isPinned ? 'pinned' : ''} ${place === null ? 'hiding' : ''}`} style={place === null ? {} : { left: `${place.left}px`, top: `${place.top}px`, ...(place.most === null ? {} : { maxHeight: `${place.most}px` }) }}
      role="group" aria-label={`Item ${card?.task ?? row}`} onPointerEnter={() => onInside(true)} onPointerLeave={() => onInside(false)}>
      {error !== null && <p class="trouble">{error}</p>}
      {card === null ? error === null && <p class="quietly">Loading …</p> : <Facts card={card} pinned={isPinned} />}
    </div>
  )
}

function Facts({ card, pinned: isPinned }: { readonly card: Card; readonly pinned: boolean }) {
  return (
    <>
      <div class="row card-head">
        <span class="quietly small grow">{card.task > 0 ? `Task ${card.task}` : 'No task in Label Studio'}{isPinned ? ', pinned' : ''}</span>
        {isPinned && <button type="button" class="button quiet icon" aria-label="Unpin" onClick={() => (pinned.value = null)}>×</button>}
      </div>
      {card.thumbnail && <Thumbnail row={card.row} alt={card.text === '' ? `Picture of task ${card.task}` : ''} />}
      {card.text !== '' && <p class="card-text">{card.text}</p>}
      <Answer card={card} />
      {card.reason !== '' && <p class="small">{card.reason}</p>}
      <ul class="words small">{(card.words ?? []).map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
      {card.nearest_labelled != null && <Nearest card={card} />}
      {isPinned && <Ways card={card} />}
    </>
  )
}

/** A person's label and Lantern's prediction, never mixed up. */
function Answer({ card }: { readonly card: Card }) {
  return (
    <dl class="answer">
      {card.label !== null && (<><dt>Label</dt><dd><ClassName name={card.label} /> <span class="quietly small">by {card.annotators.join(', ') || 'a person'}</span></dd></>)}
      <dt>Prediction</dt>
      <dd>{card.predicted === null ? <span class="quietly">none</span> : <><ClassName name={card.predicted} /> <b class="figures">{percent(card.confidence)}</b></>}</dd>
      {card.top.length > 1 && <><dt>Then</dt><dd class="quietly small">{card.top.slice(1).map(([name, p]) => `${shownAs(name)} ${percent(p)}`).join(', ')}</dd></>}
    </dl>
  )
}

function Nearest({ card }: { readonly card: Card }) {
  const nearest = card.nearest_labelled
  if (nearest == null) return null
  return (
    <div class="nearest small">
      <span class="quietly">{`Nearest labelled${nearest.similarity === null ? '' : ` (${percent(nearest.similarity)} alike)`}: `}</span>
      <ClassName name={nearest.label ?? '?'} />{' '}
      <button type="button" class="button link" onClick={() => (pinned.value = nearest.row)}>show</button>
      {nearest.text !== '' && <p class="two-lines quietly">{nearest.text}</p>}
    </div>
  )
}

function Ways({ card }: { readonly card: Card }) {
  const address = taskAddress(card.task)
  return (
    <div class="row wrap">
      <button type="button" class="button" onClick={() => void moreLikeThis(card.row)}>More like this</button>
      {address !== null && <OutsideLink address={address} of="the task" button>Open in Label Studio</OutsideLink>}
    </div>
  )
}

function spoken(card: Card): string {
  const answer = card.label !== null ? `labelled ${shownAs(card.label)}` : card.predicted !== null ? `predicted ${shownAs(card.predicted)}, ${percent(card.confidence)}` : 'nothing predicted'
  return `${card.text.slice(0, 120)} ${answer}. ${(card.words ?? []).join(' ')}`
}

interface Place {
  readonly left: number
  readonly top: number
  /** So high that the card covers neither messages nor, where it lies above or below its point, that. */
  readonly most: number | null
}

/** Beside the point and inside the map; above or below it where the map is narrow. */
function placeBeside(row: number, box: HTMLDivElement | null): Place | null {
  const at = screenPosition(row)
  const area = box?.parentElement
  if (at === null || box === null || area == null) return { left: AWAY, top: AWAY, most: null }
  // In a small window the map begins below its tools.
  const start = area.querySelector<HTMLElement>('.map-host')?.offsetTop ?? 0
  const x = at[0], y = at[1] + start, { clientWidth: width, clientHeight } = area
  const messages = area.querySelector<HTMLElement>('.toasts')?.offsetHeight ?? 0
  const height = clientHeight - (messages === 0 ? 0 : messages + AWAY)
  const within = (value: number, most: number): number => Math.min(Math.max(AWAY, value), Math.max(AWAY, most))
  const side = x + AWAY + WIDTH <= width ? x + AWAY : x - AWAY - WIDTH >= AWAY ? x - AWAY - WIDTH : null
  if (side !== null) {
    const most = height - 2 * AWAY, tall = Math.min(most, box.scrollHeight + box.offsetHeight - box.clientHeight)
    return { left: side, top: within(y - 24, height - tall - AWAY), most }
  }
  const left = within(x - WIDTH / 2, width - WIDTH - AWAY), below = height - y - 2 * AWAY, above = y - 2 * AWAY
  if (below >= Math.min(box.scrollHeight, above)) return { left, top: y + AWAY, most: below }
  return { left, top: y - AWAY - Math.min(box.scrollHeight, above), most: above }
}
