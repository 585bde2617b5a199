import { colourOf, nameOf } from './classes'
import type { ClassShare } from './logic/selectionSummary'
import { count, percent, plural } from './logic/words'

const SHOWN = 6

/** The classes of a selection, largest first; the solid part is what people said. */
export function MixBars({ mix, total }: { readonly mix: readonly ClassShare[]; readonly total: number }) {
  if (total === 0) return null
  const rest = mix.slice(SHOWN)
  const others = rest.reduce((sum, share) => sum + share.human + share.predicted, 0)
  return (
    <ul class="mix">
      {mix.slice(0, SHOWN).map((share) => <Row key={share.index} share={share} total={total} />)}
      {others > 0 && <li class="quietly small">{`${plural(rest.length, 'more class', 'more classes')}: ${count(others)}`}</li>}
    </ul>
  )
}

function Row({ share, total }: { readonly share: ClassShare; readonly total: number }) {
  const all = share.human + share.predicted
  const colour = colourOf(share.index)
  return (
    <li>
      <span class="ellipsis" title={nameOf(share.index)}>{nameOf(share.index)}</span>
      <span class="mix-bar" aria-hidden="true">
        <span style={{ width: `${(100 * share.human) / total}%`, background: colour }} />
        <span class="predicted" style={{ width: `${(100 * share.predicted) / total}%`, background: colour }} />
      </span>
      <span class="figures" title={`${count(share.human)} by people, ${count(share.predicted)} predicted`}>{`${count(all)} · ${percent(all / total)}`}</span>
    </li>
  )
}
