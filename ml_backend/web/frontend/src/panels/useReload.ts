import { useEffect } from 'preact/hooks'
import { connection } from '../state'

/** Loads at first, whenever one of `changes` is another, and once Lantern can be reached again: what failed meanwhile is not had otherwise. */
export function useReload(load: () => Promise<unknown>, changes: readonly unknown[]): void {
  const lost = connection.value === 'lost'
  useEffect(() => {
    if (!lost) void load()
  }, [...changes, lost])
}
