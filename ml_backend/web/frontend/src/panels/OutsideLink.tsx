import { embedded } from '../address'

interface Props {
  readonly address: string
  /** What the link says. */
  readonly children: string
  /** What the address is of: "the task". */
  readonly of: string
  /** As a button beside others rather than within text. */
  readonly button?: boolean
}

/** A page of Label Studio in a tab of its own; where another page may forbid that, its address to copy, too. */
export function OutsideLink({ address, children, of, button = false }: Props) {
  return (
    <>
      <a class={button ? 'button' : 'small'} href={address} target="_blank" rel="noreferrer">{children}</a>
      {embedded && <input class="field small whole-line" readOnly value={address} aria-label={`Address of ${of}, to copy`} onFocus={(event) => event.currentTarget.select()} />}
    </>
  )
}
