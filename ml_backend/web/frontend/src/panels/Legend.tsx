/** What the colours mean; each class can be hidden, shown alone, selected, recoloured and given another name. */

import { useMemo, useRef, useState } from 'preact/hooks'
import { colourMode, columns, hidden, selection } from '../state'
import { colourOf, currentClasses, nameOf } from './classes'
import { Continuous } from './LegendScales'
import { LegendRow } from './LegendRow'
import { isolated, toggledHidden } from './logic/hiding'
import { classCounts, type ClassCount } from './logic/mapSummary'
import { NONE } from './logic/selectionSummary'
import { Marks } from './Marks'
import { announce } from './ui'

type Order = 'config' | 'count' | 'name'
/** A second click within this makes it a double-click: alone instead of hidden. */
const DEFER_MILLISECONDS = 300

export function Legend() {
  return (
    <section class="section legend" aria-label="Legend">
      {colourMode.value === 'label' ? <Classes /> : <Continuous />}
      <Marks />
    </section>
  )
}

function Classes() {
  const [order, setOrder] = useState<Order>('config')
  const [chosenLook, setChosenLook] = useState<number | null>(null)
  const timer = useRef<number | null>(null)
  const shown = columns.value
  const all = useMemo(() => classCounts(shown, null), [shown.class, shown.status])
  const chosen = useMemo(() => classCounts(shown, selection.value.rows), [shown.class, shown.status, selection.value])
  const rows = ordered(all, currentClasses.value.length, order)
  const everyIndex = rows.map(({ index }) => index)
  const hide = (index: number): void => {
    hidden.value = toggledHidden(hidden.value, index)
    announce(`${nameOf(index)} ${hidden.value.has(index) ? 'hidden' : 'shown'}.`)
  }
  const alone = (index: number): void => {
    hidden.value = isolated(hidden.value, index, everyIndex)
    announce(hidden.value.size === 0 ? 'All classes are shown.' : `Only ${nameOf(index)} is shown.`)
  }
  const click = (index: number, byKeyboard: boolean): void => {
    if (byKeyboard) return hide(index)
    if (timer.current !== null) {
      window.clearTimeout(timer.current)
      timer.current = null
      return alone(index)
    }
    timer.current = window.setTimeout(() => {
      timer.current = null
      hide(index)
    }, DEFER_MILLISECONDS)
  }
  return (
    <>
      <div class="heading">
        <h2>Classes</h2>
        {hidden.value.size > 0 && <button type="button" class="button link" onClick={() => (hidden.value = new Set())}>Show all</button>}
        <select class="field small" aria-label="Order of the classes" value={order} onChange={(event) => setOrder(event.currentTarget.value as Order)}>
          <option value="config">as labelled</option><option value="count">by count</option><option value="name">by name</option>
        </select>
      </div>
      <ul class="legend-rows">
        {rows.map((row) => (
          <LegendRow key={row.index} entry={row} selected={countOf(chosen, row.index)} colour={colourOf(row.index)} shown={!hidden.value.has(row.index)}
            choosing={chosenLook === row.index} onChoose={() => setChosenLook(chosenLook === row.index ? null : row.index)} onClick={click} onAlone={alone} />
        ))}
      </ul>
    </>
  )
}

/** Every class of the label config, those without items, too; what has no name comes last. */
function ordered(counts: readonly ClassCount[], classes: number, order: Order): ClassCount[] {
  const byIndex = new Map(counts.map((entry) => [entry.index, entry]))
  const rows = Array.from({ length: classes }, (_, index) => byIndex.get(index) ?? { index, human: 0, propagated: 0 })
  if (order === 'count') rows.sort((a, b) => b.human + b.propagated - (a.human + a.propagated))
  if (order === 'name') rows.sort((a, b) => nameOf(a.index).localeCompare(nameOf(b.index)))
  const unnamed = byIndex.get(NONE)
  return unnamed === undefined ? rows : [...rows, unnamed]
}

function countOf(counts: readonly ClassCount[], index: number): number {
  const found = counts.find((entry) => entry.index === index)
  return found === undefined ? 0 : found.human + found.propagated
}
