/** Short words about the last gesture, shown on the map and spoken. */

import { signal } from '@preact/signals'

const SHOWN_MILLISECONDS = 2600

export const notice = signal('')
let timer: number | null = null

export function say(text: string): void {
  notice.value = text
  if (timer !== null) window.clearTimeout(timer)
  timer = window.setTimeout(() => (notice.value = ''), SHOWN_MILLISECONDS)
}
