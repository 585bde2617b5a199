import { classNames, colourOf } from './classes'

/** A class with its colour; the name alone would do, the colour alone never stands. */
export function ClassName({ name }: { readonly name: string }) {
  const index = classNames.value.indexOf(name)
  return (
    <span class="class-name">
      <span class="swatch" style={{ background: index >= 0 ? colourOf(index) : 'transparent' }} />
      <span>{name}</span>
    </span>
  )
}
