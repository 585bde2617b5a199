import { useEffect, useRef } from 'preact/hooks'
import { nameOf } from './classes'
import { confirmWaiting, dropWaiting, waiting } from './labelActions'
import { question } from './logic/guard'

/** Asks before a label that is large, mixed or replaces labels: a bar, not a dialog. */
export function GuardBar() {
  const asked = waiting.value
  const yes = useRef<HTMLButtonElement>(null)
  useEffect(() => { if (asked !== null) yes.current?.focus() }, [asked])
  if (asked === null) return null
  const keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    dropWaiting()
  }
  return (
    <section class="note warn section" role="group" aria-label="Please confirm" onKeyDown={keys}>
      <p>{question(nameOf(asked.index), asked.ask)}</p>
      <div class="row">
        <button ref={yes} type="button" class="button primary" onClick={confirmWaiting}>Assign</button>
        <button type="button" class="button" onClick={dropWaiting}>Cancel <kbd>Esc</kbd></button>
      </div>
    </section>
  )
}
