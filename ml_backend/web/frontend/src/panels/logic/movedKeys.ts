/** Which keys give another class than before: they follow the order of the classes in the label config. */

import { keyOfClass } from './typeahead'

/**
 * Whether a key that gave a class gives another one now, and not because of the person on this page. A key that gives
 * nothing any more does no harm. before, after: values, in the order of the label config; madeHere: classes that were
 * made on this page since `before`.
 */
export function keysMoved(before: readonly string[], after: readonly string[], madeHere: ReadonlySet<string>): boolean {
  const others = after.filter((name) => !madeHere.has(name))
  if (others.length === before.length && others.every((name, index) => name === before[index])) return false
  const now = classesByKey(after)
  return [...classesByKey(before)].some(([key, name]) => now.has(key) && now.get(key) !== name)
}

/** “2 cat, 3 dog, …”: a few classes with their keys, from the first key on that gives another class. shown: what people read, as long as `after`. */
export function keysInWords(before: readonly string[], after: readonly string[], shown: readonly string[], most: number): string {
  const was = classesByKey(before), keys = [...classesByKey(after)]
  const first = keys.findIndex(([key, name]) => was.get(key) !== name)
  const said = keys.slice(first, first + most).map(([key, name]) => `${key} ${shown[after.indexOf(name)] ?? name}`)
  return [...said, ...(keys.length > first + most ? ['…'] : [])].join(', ')
}

/** In the order of the label config; without the classes that have no key. */
function classesByKey(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name, index) => [keyOfClass(index, names), name] as const).filter(([key]) => key !== ''))
}
