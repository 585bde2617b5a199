/** One component: what it looks like, what it means, what lies beside it. */

import { isPresent } from '../absent'
import { columns, control, server } from '../state'
import { AcceptBar } from './AcceptBar'
import { useCards } from './cards'
import { shownAs } from './classes'
import { ClassName } from './ClassName'
import { ComponentPictures } from './ComponentPictures'
import { looked } from './ComponentsPanel'
import { rowsToAccept } from './logic/selectionSummary'
import { percent, plural } from './logic/words'
import { choose } from './selectionActions'
import { component as fetchComponent, type ComponentFacts, type ComponentRow } from './server'
import { flyTo } from '../map'
import { Thumbnail } from './Thumbnail'
import { useLoaded } from './useLoaded'

const CLASSES_SHOWN = 5

export function ComponentDetail({ c, all }: { readonly c: number; readonly all: readonly ComponentRow[] }) {
  const versions = server.value?.versions
  const { value, error } = useLoaded(`${c}|${control.value}|${versions?.publication}|${versions?.labels}`, () => fetchComponent(c, control.value))
  const summary = all.find((row) => row.c === c)
  const rows = rowsOf(c)
  return (
    <>
      <div class="row">
        <button type="button" class="button" onClick={() => (looked.value = null)}>‹ All</button>
        <h2 class="grow">{`Component ${c}`}</h2>
        <button type="button" class="button" onClick={() => { choose(rows, `component ${c}`); flyTo(rows) }}>{`Select ${plural(rows.length, 'item')}`}</button>
      </div>
      <AcceptBar candidates={(confidence) => rowsToAccept(columns.value, rows, confidence)} component={c} what="of this component" />
      {error !== null && <p class="trouble">{error}</p>}
      {value === null ? error === null && <p class="quietly">Loading …</p> : <Facts facts={value} labelled={summary?.labelled ?? 0} all={all} />}
    </>
  )
}

function Facts({ facts, labelled, all }: { readonly facts: ComponentFacts; readonly labelled: number; readonly all: readonly ComponentRow[] }) {
  return (
    <>
      <dl class="facts">
        <div><dt>Mass</dt><dd>{percent(facts.mass)}</dd></div>
        <div><dt>Labelled</dt><dd>{labelled}</dd></div>
        <div><dt>Mean sigma</dt><dd>{facts.sigma_mean === null ? '–' : facts.sigma_mean.toPrecision(3)}</dd></div>
        {facts.latent_dim !== null && <div><dt>z</dt><dd>{`${facts.latent_dim} axes`}</dd></div>}
      </dl>
      <Tau facts={facts} />
      {facts.pictures && <ComponentPictures facts={facts} axes={facts.latent_dim ?? 1} />}
      {facts.terms.length > 0 && <Terms facts={facts} />}
      <Typical rows={facts.typical.filter((row) => isPresent(columns.value, row))} />
      {facts.neighbours.length > 0 && <Neighbours neighbours={facts.neighbours} all={all} />}
    </>
  )
}

/** p(class given the component). */
function Tau({ facts }: { readonly facts: ComponentFacts }) {
  return (
    <section class="section" aria-label="What its labels say">
      <h3>What its labels say (tau)</h3>
      {facts.tau.length === 0 && <p class="quietly small">No label has reached it yet.</p>}
      <ul class="mix">
        {facts.tau.slice(0, CLASSES_SHOWN).map(([name, share]) => (
          <li key={name}><ClassName name={name} /><span class="bar" aria-hidden="true"><span style={{ width: `${100 * share}%` }} /></span><span class="figures">{percent(share)}</span></li>
        ))}
      </ul>
    </section>
  )
}

function Terms({ facts }: { readonly facts: ComponentFacts }) {
  return (
    <section class="section" aria-label="Words that set it apart">
      <h3>Words that set it apart from its neighbours</h3>
      <ul class="terms">
        {facts.terms.map(({ term, here, around }) => <li key={term} title={`${percent(here)} of the texts here, ${percent(around)} around it`}><b>{term}</b> <span class="small quietly figures">{`${percent(here)} / ${percent(around)}`}</span></li>)}
      </ul>
    </section>
  )
}

function Typical({ rows }: { readonly rows: readonly number[] }) {
  const cards = useCards(rows)
  if (rows.length === 0) return null
  return (
    <section class="section" aria-label="Most typical items">
      <h3>Most typical</h3>
      <ul class={`gallery ${cards.some((card) => card?.thumbnail) ? 'pictures' : 'texts'}`}>
        {rows.map((row, i) => {
          const card = cards[i] ?? null
          const said = card === null ? '…' : card.text || `Task ${card.task}`
          return <li key={row}><button type="button" class="tile" title={said} onClick={() => flyTo([row])}>{card?.thumbnail ? <Thumbnail row={row} alt={said} /> : <span class="two-lines">{said}</span>}</button></li>
        })}
      </ul>
    </section>
  )
}

function Neighbours({ neighbours, all }: { readonly neighbours: readonly number[]; readonly all: readonly ComponentRow[] }) {
  return (
    <section class="section" aria-label="Neighbouring components">
      <h3>Beside it</h3>
      <div class="row wrap">
        {neighbours.map((c) => <button key={c} type="button" class="button" onClick={() => (looked.value = c)}>{`${c} · ${named(all.find((row) => row.c === c)?.label ?? null)}`}</button>)}
      </div>
    </section>
  )
}

function named(label: string | null): string {
  return label === null ? 'no label' : shownAs(label)
}

function rowsOf(c: number): number[] {
  const rows: number[] = []
  columns.value.component.forEach((component, row) => {
    if (component === c && isPresent(columns.value, row)) rows.push(row)
  })
  return rows
}
