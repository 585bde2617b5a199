/** Which keys give another class than before: they follow the order of the classes in the label config. */

import { keyOfClass } from './typeahead'

/**
 * Whether the key of a class that there was is another one now, and not because of the person on this page. before, after:
 * values, in the order of the label config; madeHere: the classes that were made on this page.
 */
export function keysMoved(before: readonly string[], after: readonly string[], madeHere: ReadonlySet<string>): boolean {
  const added = after.filter((name) => !before.includes(name))
  if (added.length > 0 && added.every((name) => madeHere.has(name)) && before.every((name) => after.includes(name))) return false
  return before.some((name, index) => {
    const now = after.indexOf(name)
    return now >= 0 && keyOfClass(now, after) !== keyOfClass(index, before)
  })
}

/** “1 cat, 2 dog, …”: the first few classes with their keys. shown: what people read, as long as names. */
export function keysInWords(names: readonly string[], shown: readonly string[], most: number): string {
  const said = names.slice(0, most).map((name, index) => `${keyOfClass(index, names)} ${shown[index] ?? name}`)
  return [...said, ...(names.length > most ? ['…'] : [])].join(', ')
}
