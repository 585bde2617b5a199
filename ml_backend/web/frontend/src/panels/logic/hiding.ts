/** Which classes of the legend are hidden. */

export function toggledHidden(hidden: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const next = new Set(hidden)
  if (!next.delete(index)) next.add(index)
  return next
}

/** Only this class; all of them when it is the only one already. */
export function isolated(hidden: ReadonlySet<number>, index: number, all: readonly number[]): ReadonlySet<number> {
  const others = all.filter((other) => other !== index)
  const alone = !hidden.has(index) && others.every((other) => hidden.has(other))
  return new Set(alone ? [] : others)
}
