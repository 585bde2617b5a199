import { useLayoutEffect, useRef } from 'preact/hooks'
import type { RefObject } from 'preact'

/** Focus for one element of what has just opened; who had it before gets it back when that closes. */
export function useBorrowedFocus<T extends HTMLElement>(): RefObject<T | null> {
  const element = useRef<T>(null)
  // Before anybody can type into it: else the one who had it "before" is the element itself.
  useLayoutEffect(() => {
    const before = document.activeElement
    element.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return element
}
