/** Classes by key and by typing. */

/**
 * Class index of a digit key: 1..9 and 0 are the first ten classes, with shift the next ten. Null for other keys.
 * Where all names are single digits each is its own key: nobody should press 1 for a 0.
 */
export function classOfKey(code: string, shift: boolean, names: readonly string[]): number | null {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1]
  if (digit === undefined) return null
  if (areDigits(names)) {
    const index = names.indexOf(digit)
    return shift || index < 0 ? null : index
  }
  const index = ((Number(digit) + 9) % 10) + (shift ? 10 : 0)
  return index < names.length ? index : null
}

/** The key of a class as people see it: "1", "0", "⇧1"; empty beyond the twentieth. */
export function keyOfClass(index: number, names: readonly string[]): string {
  if (areDigits(names)) return names[index] ?? ''
  if (index >= 20) return ''
  return `${index >= 10 ? '⇧' : ''}${(index + 1) % 10}`
}

function areDigits(names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => /^\d$/.test(name))
}

/**
 * Class indices that fit what was typed, best first: the start of the name, the start of a word in it, any part, the letters in order.
 * An empty text fits all. classes: the names of each, the one that fits best counts.
 */
export function matching(classes: readonly (readonly string[])[], typed: string): number[] {
  const wanted = typed.trim().toLowerCase()
  if (wanted === '') return classes.map((_, index) => index)
  const ranked = classes.map((names, index) => ({ index, rank: Math.min(...names.map((name) => rank(name.toLowerCase(), wanted))) }))
  return ranked
    .filter(({ rank }) => rank < UNLIKE)
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ index }) => index)
}

/** Whether a class of exactly this name (whatever its case) exists. */
export function exists(classes: readonly (readonly string[])[], typed: string): boolean {
  const wanted = typed.trim().toLowerCase()
  return classes.some((names) => names.some((name) => name.toLowerCase() === wanted))
}

const UNLIKE = 5

function rank(name: string, wanted: string): number {
  const at = name.indexOf(wanted)
  if (at === 0) return name.length === wanted.length ? 0 : 1
  if (at > 0) return /[\s_\-/>]/.test(name[at - 1] ?? '') ? 2 : 3
  let next = 0
  for (const letter of name) if (letter === wanted[next]) next++
  return next === wanted.length ? 4 : UNLIKE
}
