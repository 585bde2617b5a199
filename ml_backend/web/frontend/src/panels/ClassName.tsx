import { classNames, colourOf, nameOf, valueBeside } from './classes'

interface Props {
  /** Its value in the label config. */
  readonly name: string
  /** Where a label is given: says the value, too. */
  readonly gives?: boolean
}

/** A class with its colour; the name alone would do, the colour alone never stands. */
export function ClassName({ name, gives = false }: Props) {
  const index = classNames.value.indexOf(name)
  const value = valueBeside(index)
  return (
    <span class="class-name" title={value === null ? undefined : `“${value}” in Label Studio`}>
      <span class="swatch" style={{ background: index >= 0 ? colourOf(index) : 'transparent' }} />
      <span>{index >= 0 ? nameOf(index) : name}</span>
      {gives && <ValueBeside index={index} />}
    </span>
  )
}

/** The label config's value of a class that is shown under another name. */
export function ValueBeside({ index }: { readonly index: number }) {
  const value = valueBeside(index)
  return value === null ? null : <span class="value-beside small quietly ellipsis">{value}</span>
}
