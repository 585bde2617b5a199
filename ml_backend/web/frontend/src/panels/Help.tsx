/** All keys and marks on one sheet, and the switch that takes single keys out of use. */

import { ALL_KEYS } from './keyActions'
import { helpOpen, singleKeys, switchSingleKeys } from './ui'
import { ThemeChoice } from './TopBar'
import { useBorrowedFocus } from './useBorrowedFocus'

export function Help() {
  return helpOpen.value ? <Sheet /> : null
}

function Sheet() {
  const close = useBorrowedFocus<HTMLButtonElement>()
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    helpOpen.value = false
  }
  return (
    <section class="help" role="dialog" aria-labelledby="help-title" onKeyDown={keys}>
      <div class="heading">
        <h2 id="help-title">Help</h2>
        <button ref={close} type="button" class="button" onClick={() => (helpOpen.value = false)}>Close <kbd>Esc</kbd></button>
      </div>
      <div class="help-body" tabIndex={0} role="region" aria-label="Keys and marks">
        <p>Each point is one item; items that are alike lie together. Draw around some with the lasso and press the number of a class: the label spreads from there, and every label becomes an annotation in Label Studio. Undo takes all of it back.</p>
        <label class="tick"><input type="checkbox" checked={singleKeys.value} onChange={(event) => switchSingleKeys(event.currentTarget.checked)} /><span>Single keys act (keys with Ctrl and Esc always do)</span></label>
        <ThemeChoice />
        {[...groups()].map(([group, entries]) => (
          <div key={group} class="section">
            <h3>{group}</h3>
            <dl class="keys">
              {entries.map(({ shown, what }) => <div key={shown + what}><dt>{shown.split(' ').map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{what}</dd></div>)}
            </dl>
          </div>
        ))}
      </div>
    </section>
  )
}

function groups(): Map<string, { shown: string; what: string }[]> {
  const found = new Map<string, { shown: string; what: string }[]>()
  for (const key of ALL_KEYS) found.set(key.group, [...(found.get(key.group) ?? []), key])
  return found
}
