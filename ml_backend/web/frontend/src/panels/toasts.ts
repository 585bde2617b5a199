/** Short messages at the bottom of the page, each with at most one thing to do about it. */

import { signal } from '@preact/signals'
import { announce } from './ui'

export interface Toast {
  readonly id: number
  readonly text: string
  readonly tone: 'done' | 'problem'
  readonly action: { readonly name: string; readonly run: () => void } | null
  /** The act on the map that it tells of. */
  readonly act: number | null
}

const SECONDS = { done: 8, problem: 20 }
const MOST = 3

export const toasts = signal<readonly Toast[]>([])
let last = 0

/** act: what was said of it before is no longer so, and goes. */
export function toast(text: string, tone: Toast['tone'] = 'done', action: Toast['action'] = null, act: Toast['act'] = null): number {
  const id = ++last
  const others = toasts.value.filter((shown) => act === null || shown.act !== act)
  toasts.value = [...others, { id, text, tone, action, act }].slice(-MOST)
  announce(text)
  window.setTimeout(() => dismiss(id), SECONDS[tone] * 1000)
  return id
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((shown) => shown.id !== id)
}

/** Says what went wrong, in the words of the server where it has some. */
export function problem(error: unknown, action: Toast['action'] = null): void {
  const text = error instanceof Error ? error.message : String(error)
  // What fails for the same reason must not push out the message that has something to do about it.
  if (action === null && toasts.value.some((shown) => shown.text === text)) return
  toast(text, 'problem', action)
}
