/** Clear, invert, grow, only the uncertain: the selection changed as a whole. */

import { selection } from '../state'
import { clear, growByComponent, growByNeighbours, invert, onlyUncertain } from './selectionActions'

export function SelectionTools() {
  const rows = selection.value.rows
  return (
    <details class="menu">
      <summary class="button">Change</summary>
      <div class="menu-items">
        <button type="button" class="button quiet" onClick={clear}>Clear <kbd>Esc</kbd></button>
        <button type="button" class="button quiet" onClick={invert}>Invert</button>
        <button type="button" class="button quiet" onClick={growByComponent}>Grow to whole components</button>
        <button type="button" class="button quiet" disabled={rows.length > 50} onClick={() => void growByNeighbours()}>Grow to nearest neighbours</button>
        <button type="button" class="button quiet" onClick={onlyUncertain}>Only the uncertain</button>
      </div>
    </details>
  )
}
