/** All trainings, newest first, with the epochs of the one that runs as they come in. */

import { signal } from '@preact/signals'
import { withEpoch, type LiveEpoch } from './logic/liveEpochs'
import { runs as fetchRuns, type Run } from './server'
import { problem } from './toasts'

export const runs = signal<readonly Run[]>([])

export async function loadRuns(): Promise<void> {
  try {
    runs.value = await fetchRuns()
  } catch (error) {
    problem(error)
  }
}

/** An epoch that has just ended. */
export function epochEnded(epoch: LiveEpoch): void {
  if (runs.value.some(({ id }) => id === epoch.run)) runs.value = runs.value.map((run) => withEpoch(run, epoch))
  else void loadRuns()
}
