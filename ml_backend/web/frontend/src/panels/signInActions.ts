/** Writing needs the person's own Label Studio token, asked for when it is first needed. */

import { signal } from '@preact/signals'
import { person } from '../state'

/** What waits for the sign-in, in words and as the thing to do. */
interface Wanted {
  readonly what: string
  readonly run: () => void | Promise<void>
}

export const signInOpen = signal(false)
export const wanted = signal<Wanted | null>(null)

/** Runs at once when the person is signed in, else after the sign-in. */
export function whenSignedIn(what: string, run: Wanted['run']): void {
  if (person.value !== null) {
    void run()
    return
  }
  wanted.value = { what, run }
  signInOpen.value = true
}

export function closeSignIn(): void {
  signInOpen.value = false
  wanted.value = null
}

/** After a sign-in: closes the form and does what waited. */
export function afterSignIn(): void {
  const waiting = wanted.value
  closeSignIn()
  void waiting?.run()
}
