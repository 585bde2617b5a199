/** People without whom nothing more is sent: Lantern was restarted, and only their own pages have their tokens. */

import { api, ApiError } from '../api'
import { person, server, type Needing } from '../state'
import { signOut } from './server'

/** Those who wait; the one who is signed in here apart, if among them. */
export function stranded(): { readonly own: Needing | null; readonly others: readonly Needing[] } {
  const needs = server.value?.outbox.needs ?? [], me = person.value?.id
  return { own: needs.find(({ id }) => id === me) ?? null, others: needs.filter(({ id }) => id !== me) }
}

/** Shows this tab's token again, which is all that the labels wait for; a refused one is forgotten. */
export async function resume(): Promise<void> {
  try {
    await api.post('sign-in')
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) signOut()
  }
}
