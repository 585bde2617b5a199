import { dismiss, toasts } from './toasts'

/** At the bottom of the map. They are spoken through the page's live region, so they have no role of their own. */
export function Toasts() {
  return (
    <ul class="toasts" aria-label="Messages">
      {toasts.value.map(({ id, text, tone, action }) => (
        <li key={id} class={`toast ${tone}`}>
          <span class="grow">{text}</span>
          {action !== null && (
            <button type="button" class="button link" onClick={() => { dismiss(id); action.run() }}>{action.name}</button>
          )}
          <button type="button" class="button quiet icon" aria-label="Dismiss" onClick={() => dismiss(id)}>×</button>
        </li>
      ))}
    </ul>
  )
}
