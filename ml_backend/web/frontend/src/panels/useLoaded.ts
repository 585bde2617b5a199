/** Something that the server has, loaded when a panel needs it and again when its versions move on. */

import { useCallback, useEffect, useState } from 'preact/hooks'

export interface Loaded<Value> {
  /** The newest that arrived; the old one stays while a newer is on its way. */
  readonly value: Value | null
  readonly error: string | null
  readonly loading: boolean
  readonly again: () => void
}

/** load: null when there is nothing to load yet. key: what the value depends on. */
export function useLoaded<Value>(key: string, load: (() => Promise<Value>) | null): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [loading, setLoading] = useState(load !== null)
  const [round, setRound] = useState(0)
  useEffect(() => {
    if (load === null) return
    let stale = false
    setLoading(true)
    load().then(
      (arrived) => {
        if (stale) return
        setValue(arrived)
        setError(null)
        setLoading(false)
      },
      (reason: unknown) => {
        if (stale) return
        setError(reason instanceof Error ? reason.message : String(reason))
        setLoading(false)
      },
    )
    return () => {
      stale = true
    }
  }, [key, load === null, round])
  const again = useCallback(() => setRound((n) => n + 1), [])
  return { value, error, loading, again }
}
