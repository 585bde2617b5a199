/** All trainings, newest first, with the epochs of the one that runs as they come in. */

import { effect, signal } from '@preact/signals'
import { server } from '../state'
import { withEpoch, type LiveEpoch } from './logic/liveEpochs'
import { runs as fetchRuns, type Run } from './server'
import { runInWords } from './logic/losses'
import { problem, toast } from './toasts'

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

/** Says what came of each training once it is over; returns the way to stop. */
export function watchTraining(): () => void {
  let running: number | null = null
  return effect(() => {
    const training = server.value?.training
    if (training === undefined) return
    const ended = running !== null && training.run !== running ? running : null
    running = training.run
    if (ended !== null) void tell(ended)
  })
}

async function tell(id: number): Promise<void> {
  await loadRuns()
  const run = runs.value.find((each) => each.id === id)
  if (run !== undefined) toast(runInWords(run), run.error === null ? 'done' : 'problem')
}
