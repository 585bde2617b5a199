/** A look at the selection before it is labelled: a fair sample, and what fits the rest least. A click drops an item. */

import { useMemo, useState } from 'preact/hooks'
import { columns, excluded, pinned, selection } from '../state'
import { useCards } from './cards'
import { shownAs } from './classes'
import { atypical, sample } from './logic/gallery'
import { count, percent } from './logic/words'
import type { Card } from './server'
import { Thumbnail } from './Thumbnail'

const SIZE = 12
const MORE = 24

export function Gallery() {
  const [size, setSize] = useState(SIZE)
  const { rows } = selection.value
  const shown = columns.value
  const fair = useMemo(() => sample(rows, size), [rows, size])
  const odd = useMemo(() => (rows.length > size ? atypical(shown, rows, size) : []), [rows, size])
  const dropped = excluded.value
  return (
    <section class="section" aria-label="Items of the selection">
      <Items title={odd.length > 0 ? 'Least like the rest' : 'All of them, click to drop'} rows={odd.length > 0 ? odd : fair} />
      {odd.length > 0 && <Items title={`A sample of ${count(rows.length)}, click to drop`} rows={fair} />}
      <div class="row wrap">
        {rows.length > size && <button type="button" class="button" onClick={() => setSize(size + MORE)}>Show more</button>}
        {odd.length > 0 && <button type="button" class="button" onClick={() => drop(odd)}>Drop the least alike</button>}
        {dropped.size > 0 && <button type="button" class="button" onClick={() => (excluded.value = new Set())}>{`Take back ${count(dropped.size)} dropped`}</button>}
      </div>
    </section>
  )
}

function Items({ title, rows }: { readonly title: string; readonly rows: readonly number[] }) {
  const cards = useCards(rows)
  return (
    <div class="section">
      <h3>{title}</h3>
      <ul class={`gallery ${cards.some((card) => card?.thumbnail) ? 'pictures' : ''}`}>
        {rows.map((row, i) => <Item key={row} row={row} card={cards[i] ?? null} />)}
      </ul>
    </div>
  )
}

function Item({ row, card }: { readonly row: number; readonly card: Card | null }) {
  const out = excluded.value.has(row)
  const said = card === null ? 'Loading' : card.text || `Task ${card.task}`
  const value = card?.label ?? card?.predicted ?? null
  const class_ = value === null ? 'unnamed' : shownAs(value)
  return (
    <li>
      <button type="button" class={`tile ${out ? 'out' : ''}`} aria-pressed={!out} title={`${said} – ${class_}`} onClick={() => toggle(row)} onContextMenu={(event) => { event.preventDefault(); pinned.value = row }}>
        {card?.thumbnail ? <Thumbnail row={row} alt={said} /> : <span class="two-lines">{said}</span>}
        <span class="small quietly ellipsis">{card === null ? ' ' : card.label !== null ? class_ : `${class_} ${card.predicted === null ? '' : percent(card.confidence)}`}</span>
      </button>
    </li>
  )
}

function toggle(row: number): void {
  const dropped = new Set(excluded.value)
  if (!dropped.delete(row)) dropped.add(row)
  excluded.value = dropped
}

function drop(rows: readonly number[]): void {
  excluded.value = new Set([...excluded.value, ...rows])
}
