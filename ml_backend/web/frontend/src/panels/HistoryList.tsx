/** The latest acts, each of which can be taken back or brought back, with how far they are in Label Studio. */

import { useState } from 'preact/hooks'
import { server } from '../state'
import { history, loadHistory, redo, redoNewest, retry, said, undo, undoNewest } from './historyActions'
import { progressInWords, progressShare } from './logic/history'
import { ago, count } from './logic/words'
import type { Act } from './server'
import { useReload } from './useReload'

const SHOWN = 10

export function HistoryList() {
  const [all, setAll] = useState(false)
  const outbox = server.value?.outbox
  const labels = server.value?.versions.labels
  useReload(loadHistory, [labels, outbox?.sent, outbox?.failed, outbox?.waiting])
  const acts = history.value
  return (
    <section class="section" aria-label="History">
      <div class="heading">
        <h2>History</h2>
        <button type="button" class="button" title="Ctrl+Z" onClick={undoNewest}>Undo</button>
        <button type="button" class="button" title="Ctrl+Shift+Z" onClick={redoNewest}>Redo</button>
      </div>
      {acts.some((act) => act.progress.failed > 0) && (
        <div class="note danger row"><span class="grow">Some labels did not reach Label Studio.</span><button type="button" class="button" onClick={retry}>Try again</button></div>
      )}
      {acts.length === 0 && <p class="quietly small">Nothing was done on the map yet.</p>}
      <ol class="history">
        {(all ? acts : acts.slice(0, SHOWN)).map((act) => <Entry key={act.id} act={act} />)}
      </ol>
      {acts.length > SHOWN && !all && <button type="button" class="button link" onClick={() => setAll(true)}>{`Show all ${count(acts.length)}`}</button>}
    </section>
  )
}

function Entry({ act }: { readonly act: Act }) {
  const share = progressShare(act)
  return (
    <li class={act.undone ? 'undone' : ''}>
      <div class="row">
        <span class="grow ellipsis" title={said(act)}>{said(act)}</span>
        {act.undone
          ? <button type="button" class="button quiet" aria-label={`Redo: ${said(act)}`} onClick={() => redo(act.id)}>Redo</button>
          : <button type="button" class="button quiet" aria-label={`Undo: ${said(act)}`} onClick={() => undo(act.id)}>Undo</button>}
      </div>
      <div class="small quietly ellipsis">{`${act.person} · ${ago(act.created_at, new Date())} · ${progressInWords(act)}`}</div>
      {!act.undone && share < 1 && <div class="bar" aria-hidden="true"><span style={{ width: `${100 * share}%` }} /></div>}
      {act.error !== null && <p class="small trouble">{act.error}</p>}
    </li>
  )
}
