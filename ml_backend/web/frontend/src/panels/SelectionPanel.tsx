/** What is selected, what it is made of, and what to call it. */

import { columns, excluded, oodThreshold, selection } from '../state'
import { AcceptBar } from './AcceptBar'
import { Gallery } from './Gallery'
import { GuardBar } from './GuardBar'
import { HistoryList } from './HistoryList'
import { MixBars } from './MixBars'
import { giveAnswer, overwrite, target } from './labelActions'
import { rowsToAccept, summarise, type SelectionSummary } from './logic/selectionSummary'
import { count, percent, plural } from './logic/words'
import { Palette } from './Palette'
import { SelectionTools } from './SelectionTools'

export function SelectionPanel() {
  const { rows } = selection.value
  const summary = summarise(columns.value, rows, excluded.value, oodThreshold.value)
  return (
    <>
      {rows.length === 0 ? <Nothing /> : <Facts summary={summary} />}
      <GuardBar />
      <section class="section" aria-label="Label">
        <Palette />
        <label class="tick">
          <input type="checkbox" checked={overwrite.value} onChange={(event) => (overwrite.value = event.currentTarget.checked)} />
          <span>Overwrite labels that people gave</span>
        </label>
        <OtherAnswers />
      </section>
      {rows.length > 0 && <AcceptBar candidates={(confidence) => rowsToAccept(columns.value, kept(rows), confidence)} component={null} what="in the selection" />}
      {rows.length > 0 && <Gallery />}
      <HistoryList />
    </>
  )
}

function kept(rows: Uint32Array): number[] {
  return [...rows].filter((row) => !excluded.value.has(row))
}

function Nothing() {
  const one = target()
  return (
    <p class="note">
      {one.length === 1
        ? 'No selection: a key labels the item that is pinned or suggested.'
        : 'Nothing is selected. Draw around points with the lasso (L), then press the number of a class. Or walk the suggestions with N.'}
    </p>
  )
}

function Facts({ summary }: { readonly summary: SelectionSummary }) {
  return (
    <section class="section" aria-label="The selection">
      <div class="heading">
        <h2>{plural(summary.items, 'item')} selected</h2>
        <SelectionTools />
      </div>
      <dl class="facts">
        <div><dt>By people</dt><dd>{count(summary.human)}</dd></div>
        <div><dt>Confidence</dt><dd>{summary.confidence === null ? '–' : summary.confidence.toFixed(2)}</dd></div>
        <div><dt>Outside</dt><dd>{percent(summary.oodShare)}</dd></div>
        <div><dt>Never seen</dt><dd>{count(summary.neverSeen)}</dd></div>
      </dl>
      <MixBars mix={summary.mix} total={summary.items} />
    </section>
  )
}

/** Answers that are not a class. */
function OtherAnswers() {
  return (
    <div class="row wrap">
      <button type="button" class="button" onClick={() => giveAnswer('skip')}>Skip <kbd>Space</kbd></button>
      <button type="button" class="button" onClick={() => giveAnswer('unsure')}>Unsure <kbd>U</kbd></button>
      <button type="button" class="button" title="It belongs to no class that there is" onClick={() => giveAnswer('never_seen')}>Never seen</button>
    </div>
  )
}
