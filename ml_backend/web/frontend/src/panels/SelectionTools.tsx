/** Clear, invert, grow, only the uncertain: the selection changed as a whole. */

import { selection } from '../state'
import { clear, growByComponent, growByNeighbours, invert, MOST_GROWN, NEIGHBOURS, onlyUncertain } from './selectionActions'
import { count } from './logic/words'

const WHY = 'why-not-grow'

export function SelectionTools() {
  const n = selection.value.rows.length
  const reason = n === 0 ? 'Select some items first.' : n > MOST_GROWN ? `For at most ${MOST_GROWN} items; ${count(n)} are selected.` : null
  return (
    <details class="menu">
      <summary class="button">Change</summary>
      <div class="menu-items">
        <button type="button" class="button quiet" onClick={clear}>Clear <kbd>Esc</kbd></button>
        <button type="button" class="button quiet" onClick={invert}>Invert</button>
        <button type="button" class="button quiet" onClick={growByComponent}>Grow to whole components</button>
        <button type="button" class="button quiet" disabled={reason !== null} aria-describedby={reason === null ? undefined : WHY} title={`The ${NEIGHBOURS} nearest of each item`} onClick={() => void growByNeighbours()}>Grow to nearest neighbours</button>
        {reason !== null && <p id={WHY} class="small quietly menu-note">{reason}</p>}
        <button type="button" class="button quiet" onClick={onlyUncertain}>Only the uncertain</button>
      </div>
    </details>
  )
}
