/** The groups that the model made, largest first; one of them in depth. */

import { useEffect, useState } from 'preact/hooks'
import { signal } from '@preact/signals'
import { control, server } from '../state'
import { colourOf, classNames, shownAs } from './classes'
import { ComponentDetail } from './ComponentDetail'
import { count, percent, plural } from './logic/words'
import { components as fetchComponents, type ComponentRow } from './server'
import { useLoaded } from './useLoaded'
import { VirtualList } from './VirtualList'

const ROW_HEIGHT = 36

/** The component that is looked at, or null for the list. */
export const looked = signal<number | null>(null)

export function ComponentsPanel() {
  const versions = server.value?.versions
  const { value, error } = useLoaded(`${control.value}|${versions?.publication}|${versions?.labels}`, () => fetchComponents(control.value))
  if (error !== null) return <p class="trouble">{error}</p>
  if (value === null) return <p class="quietly">Loading …</p>
  const at = looked.value
  if (at !== null) return <ComponentDetail key={at} c={at} all={value} />
  return <List all={value} />
}

function List({ all }: { readonly all: readonly ComponentRow[] }) {
  const [active, setActive] = useState(-1)
  const [unlabelled, setUnlabelled] = useState(false)
  const rows = unlabelled ? all.filter(({ labelled }) => labelled === 0) : all
  useEffect(() => setActive(-1), [unlabelled])
  const keys = (event: KeyboardEvent): void => {
    const row = rows[active]
    if (event.key === 'ArrowDown') setActive(Math.min(rows.length - 1, active + 1))
    else if (event.key === 'ArrowUp') setActive(Math.max(0, active - 1))
    else if (event.key === 'Enter' && row !== undefined) looked.value = row.c
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <>
      <div class="heading">
        <h2>{plural(rows.length, 'component')}</h2>
        <label class="tick small"><input type="checkbox" checked={unlabelled} onChange={(event) => setUnlabelled(event.currentTarget.checked)} /><span>without a label</span></label>
      </div>
      <VirtualList count={rows.length} rowHeight={ROW_HEIGHT} active={active} label="Components, largest first" onKeyDown={keys}>
        {(place) => {
          const row = rows[place]
          return row === undefined ? null : <Row row={row} active={place === active} most={rows[0]?.mass ?? 1} />
        }}
      </VirtualList>
    </>
  )
}

function Row({ row, active, most }: { readonly row: ComponentRow; readonly active: boolean; readonly most: number }) {
  const index = row.label === null ? -1 : classNames.value.indexOf(row.label)
  return (
    <div role="gridcell" class={`component-row ${active ? 'active' : ''}`} onClick={() => (looked.value = row.c)} title={`${percent(row.mass)} of all items`}>
      <span class="figures component-number">{row.c}</span>
      <span class="swatch" style={{ background: index >= 0 ? colourOf(index) : 'transparent' }} />
      <span class="grow">
        <span class="ellipsis block">{row.label === null ? 'no label' : shownAs(row.label)}</span>
        <span class="bar"><span style={{ width: `${(100 * row.mass) / most}%` }} /></span>
      </span>
      <span class="figures small quietly">{`${count(row.items)}${row.labelled > 0 ? ` · ${count(row.labelled)} labelled` : ''}`}</span>
    </div>
  )
}
