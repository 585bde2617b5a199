/** Something that the server has, loaded when a panel needs it and again when its versions move on. */

import { useEffect, useState } from 'preact/hooks'
import { passes } from '../api'

const RETRY_MILLISECONDS = 5000

export interface Loaded<Value> {
  /** The newest that arrived; the old one stays while a newer is on its way. */
  readonly value: Value | null
  /** Why the newest is not there. */
  readonly error: string | null
}

/** key: what the value depends on. What fails for the moment only is tried again. */
export function useLoaded<Value>(key: string, load: () => Promise<Value>): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null)
  const [error, setError] = useState<string | null>(null)
  useEffect(() => {
    let stale = false, timer: number | null = null
    const ask = (): void => void load().then(
      (arrived) => {
        if (stale) return
        setValue(arrived)
        setError(null)
      },
      (reason: unknown) => {
        if (stale) return
        setError(reason instanceof Error ? reason.message : String(reason))
        if (passes(reason)) timer = window.setTimeout(ask, RETRY_MILLISECONDS)
      },
    )
    ask()
    return () => {
      stale = true
      if (timer !== null) window.clearTimeout(timer)
    }
  }, [key])
  return { value, error }
}
