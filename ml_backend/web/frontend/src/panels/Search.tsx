import { useEffect, useState } from 'preact/hooks'
import { composes } from '../keyEvents'
import { highlighted } from '../state'
import { count, plural } from './logic/words'
import { find, hitAt, hits, hop, leaveSearch, searchText, selectHits } from './searchActions'
import { SEARCH_FIELD } from './ui'
import { useDebounced } from './useDebounced'

const REST_MILLISECONDS = 250

/** Text or pattern; hits are ringed on the map and can be labelled all at once. */
export function Search() {
  const text = searchText.value
  const [regex, setRegex] = useState(false)
  const rested = useDebounced(text, REST_MILLISECONDS)
  useEffect(() => void find(rested, regex ? 'regex' : 'text'), [rested, regex])
  const keys = (event: KeyboardEvent): void => {
    if (composes(event)) return
    if (event.key === 'Enter') hop(event.shiftKey ? -1 : 1)
    else if (event.key === 'Escape') { leaveSearch(); (event.currentTarget as HTMLElement).blur() }
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div class="search" role="search">
      <input id={SEARCH_FIELD} class="field" type="text" placeholder="Search  /" aria-label="Search the items" autocomplete="off" spellcheck={false} value={text}
        onInput={(event) => (searchText.value = event.currentTarget.value)} onKeyDown={keys} />
      <button type="button" class="button icon" aria-pressed={regex} aria-label="Regular expression" title="Regular expression" onClick={() => setRegex(!regex)}>.*</button>
      {hits.value !== null && <Found onEnd={leaveSearch} />}
    </div>
  )
}

function Found({ onEnd }: { readonly onEnd: () => unknown }) {
  const found = hits.value
  if (found === null) return null
  const n = highlighted.value.length, total = found.cut ? found.total : n // fewer once a task is deleted
  return (
    <div class="popover hits row">
      <span class="grow">{n === 0 ? `Nothing found for ${found.what}` : `${hitAt.value >= 0 ? `${count(Math.min(n, hitAt.value + 1))} of ` : ''}${plural(total, 'hit')}${found.cut ? ` (first ${count(n)})` : ''}`}</span>
      {n > 0 && <button type="button" class="button icon" aria-label="Previous hit" onClick={() => hop(-1)}>‹</button>}
      {n > 0 && <button type="button" class="button icon" aria-label="Next hit" onClick={() => hop(1)}>›</button>}
      {n > 0 && <button type="button" class="button primary" onClick={selectHits}>{n === 1 ? 'Label the hit' : `Label all ${count(n)}`}</button>}
      <button type="button" class="button quiet icon" aria-label="End the search" onClick={onEnd}>×</button>
    </div>
  )
}
