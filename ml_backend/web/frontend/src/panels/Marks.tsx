/** The marks that go by shape, not colour. */
export function Marks() {
  return (
    <ul class="marks small">
      <li><Mark><circle cx="8" cy="8" r="5.5" class="solid rim" /></Mark>A person’s label</li>
      <li><Mark><circle cx="8" cy="8" r="2.6" class="solid" /></Mark>Spread, paler when less sure</li>
      <li><Mark><circle cx="8" cy="8" r="2" class="grey" /></Mark>Nothing named</li>
      <li><Mark><circle cx="8" cy="8" r="5" class="ring" /></Mark>Outside what is labelled</li>
      <li><Mark><circle cx="8" cy="8" r="5" class="ring dashed" /></Mark>Suggestion or task at hand</li>
    </ul>
  )
}

function Mark({ children }: { readonly children: preact.ComponentChildren }) {
  return <svg class="mark" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">{children}</svg>
}
