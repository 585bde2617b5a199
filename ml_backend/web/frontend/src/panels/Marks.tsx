import { useMemo } from 'preact/hooks'
import { columns } from '../state'
import { STATUS } from './logic/selectionSummary'

/** The marks that go by shape, not colour; the rarer ones where there are such points. */
export function Marks() {
  const { status, pending } = columns.value
  const hasSetAside = useMemo(() => status.includes(STATUS.setAside), [status])
  const hasPending = useMemo(() => pending.includes(1), [pending])
  return (
    <ul class="marks small" aria-label="Marks">
      <li><Mark><circle cx="8" cy="8" r="5.5" class="solid rim" /></Mark>A person’s label</li>
      {hasPending && <li><Mark><circle cx="8" cy="8" r="3.2" class="solid rim" /><circle cx="8" cy="8" r="6.6" class="ring fine dashes" /></Mark>Not in Label Studio yet</li>}
      <li><Mark><circle cx="8" cy="8" r="2.6" class="solid" /></Mark>Spread, paler when less sure</li>
      <li><Mark><circle cx="8" cy="8" r="2" class="grey" /></Mark>Nothing named</li>
      {hasSetAside && <li><Mark><circle cx="8" cy="8" r="2" class="grey" /><path d="M4.2 4.2l7.600 7.600M4.2 11.800l7.600-7.600" class="ring fine" /></Mark>Set aside, without a class</li>}
      <li><Mark><circle cx="8" cy="8" r="5" class="ring" /></Mark>Outside what is labelled</li>
      <li><Mark><circle cx="8" cy="8" r="5.5" class="ring dashed at-hand" /></Mark>Suggestion or task at hand</li>
    </ul>
  )
}

function Mark({ children }: { readonly children: preact.ComponentChildren }) {
  return <svg class="mark" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">{children}</svg>
}
