/** One class at a time: everything unlabelled, most likely first, accepted as a range. */

import { useEffect, useState } from 'preact/hooks'
import { control, pinned, server } from '../state'
import { useCards } from './cards'
import { classNames, currentClasses, fullNameOf, nameOf } from './classes'
import { ClassName } from './ClassName'
import { sendLabel } from './labelActions'
import { lastAbove } from './logic/range'
import { percent, plural } from './logic/words'
import { choose } from './selectionActions'
import { ranked, type Ranked } from './server'
import { flyTo } from '../map'
import { Thumbnail } from './Thumbnail'
import { useLoaded } from './useLoaded'
import { VirtualList } from './VirtualList'
import { rankedClass } from './rankedClass'

const LIMIT = 1000
const ROW_HEIGHT = 52

export function ClassPanel() {
  const index = Math.min(rankedClass.value, currentClasses.value.length - 1)
  const name = classNames.value[index]
  if (name === undefined) return <p class="note">There is no class yet. Create one under Selection.</p>
  return (
    <>
      <div class="row">
        <label class="grow row"><span>Class</span>
          <select class="field grow" value={index} onChange={(event) => (rankedClass.value = Number(event.currentTarget.value))}>
            {classNames.value.map((each, i) => <option key={each} value={i}>{fullNameOf(i)}</option>)}
          </select>
        </label>
        <button type="button" class="button icon" aria-label="Previous class" disabled={index <= 0} onClick={() => (rankedClass.value = index - 1)}>‹</button>
        <button type="button" class="button icon" aria-label="Next class" disabled={index >= classNames.value.length - 1} onClick={() => (rankedClass.value = index + 1)}>›</button>
      </div>
      {/* One for each class: what was ranked for another one must not be labelled with this. */}
      <Ranking key={`${control.value}|${name}`} index={index} name={name} />
    </>
  )
}

function Ranking({ index, name }: { readonly index: number; readonly name: string }) {
  const versions = server.value?.versions
  const { value, error } = useLoaded(`${versions?.labels}|${versions?.publication}`, () => ranked(control.value, name, LIMIT))
  return (
    <>
      {error !== null && <p class="trouble">{error}</p>}
      {value === null ? error === null && <p class="quietly">Loading …</p> : <Strip ranking={value} index={index} name={name} />}
    </>
  )
}

function Strip({ ranking, index, name }: { readonly ranking: Ranked; readonly index: number; readonly name: string }) {
  const [last, setLast] = useState(-1)
  const [active, setActive] = useState(-1)
  const [dropped, setDropped] = useState<ReadonlySet<number>>(new Set())
  const [seen, setSeen] = useState<readonly number[]>([])
  const cards = useCards(seen)
  const cardOf = new Map(seen.map((row, i) => [row, cards[i] ?? null]))
  useEffect(() => { setLast(-1); setActive(-1) }, [ranking])
  const range = ranking.rows.slice(0, last + 1).filter((row) => !dropped.has(row))
  const move = (to: number): void => {
    const place = Math.max(0, Math.min(ranking.rows.length - 1, to))
    setActive(place)
    const row = ranking.rows[place]
    if (row !== undefined) pinned.value = row
  }
  const keys = (event: KeyboardEvent): void => {
    const row = ranking.rows[active]
    if (event.key === 'ArrowDown') move(active + 1)
    else if (event.key === 'ArrowUp') move(active - 1)
    else if (event.key === 'PageDown') move(active + 8)
    else if (event.key === 'PageUp') move(active - 8)
    else if (event.key === ' ') setLast(active)
    else if (event.key === 'Delete' && row !== undefined) setDropped(toggled(dropped, row))
    else if (event.key === 'Enter' && range.length > 0) sendLabel(index, range)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  if (ranking.rows.length === 0) return <p class="note">Nothing unlabelled is left for {nameOf(index)}.</p>
  return (
    <>
      <p class="quietly small">Most likely first. Click the last one that is right: all above it are marked. Arrow keys walk, Space marks, Delete drops one, Enter labels.</p>
      <Cutoff ranking={ranking} last={last} onLast={setLast} />
      <VirtualList count={ranking.rows.length} rowHeight={ROW_HEIGHT} active={active} label={`Unlabelled items, most likely ${nameOf(index)} first`}
        onVisible={(from, to) => setSeen(ranking.rows.slice(from, to))} onKeyDown={keys}>
        {(place) => {
          const row = ranking.rows[place] ?? 0
          const card = cardOf.get(row) ?? null
          const state = dropped.has(row) ? 'out' : place <= last ? 'in' : ''
          return (
            <div role="gridcell" class={`ranked ${state} ${place === active ? 'active' : ''}`} aria-selected={state === 'in'} onClick={() => { setActive(place); setLast(place); pinned.value = row; flyTo([row]) }}>
              {card?.thumbnail && <Thumbnail row={row} />}
              <span class="grow two-lines">{card === null ? '…' : card.text || `Task ${card.task}`}</span>
              <output>{percent(ranking.p[place] ?? 0)}</output>
              <button type="button" class="button quiet icon" aria-label={dropped.has(row) ? 'Take back' : 'Drop'} tabIndex={-1} onClick={(event) => { event.stopPropagation(); setDropped(toggled(dropped, row)) }}>{dropped.has(row) ? '+' : '×'}</button>
            </div>
          )
        }}
      </VirtualList>
      <div class="row wrap">
        <button type="button" class="button primary" disabled={range.length === 0} onClick={() => sendLabel(index, range)}>
          {range.length === 0 ? 'Mark a range first' : <>Label {plural(range.length, 'item')} <ClassName name={name} gives /></>}
        </button>
        <button type="button" class="button" disabled={range.length === 0} onClick={() => choose(range, `most likely ${nameOf(index)}`)}>Show on the map</button>
      </div>
    </>
  )
}

/** The same range by probability. */
function Cutoff({ ranking, last, onLast }: { readonly ranking: Ranked; readonly last: number; readonly onLast: (last: number) => void }) {
  const at = last >= 0 ? (ranking.p[last] ?? 1) : 1
  return (
    <div class="row">
      <label for="cutoff">Down to</label>
      <input id="cutoff" class="grow" type="range" min="0" max="1" step="0.01" value={at} onInput={(event) => onLast(lastAbove(ranking.p, event.currentTarget.valueAsNumber))} />
      <output for="cutoff">{percent(at)}</output>
    </div>
  )
}

function toggled(set: ReadonlySet<number>, row: number): ReadonlySet<number> {
  const next = new Set(set)
  if (!next.delete(row)) next.add(row)
  return next
}
