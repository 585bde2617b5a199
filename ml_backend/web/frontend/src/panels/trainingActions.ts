/** Training from the map: the weights at hand, start, stop, restore; alpha0, which needs no training. */

import { computed, signal } from '@preact/signals'
import { refreshState } from '../live'
import { server } from '../state'
import { TERMS, type Term, type Weights } from './logic/losses'
import { plural } from './logic/words'
import { restore as restoreRun, saveSettings, startTraining, stopTraining, type Steering, steering as fetchSteering } from './server'
import { whenSignedIn } from './signInActions'
import { problem, toast } from './toasts'
import { announce } from './ui'

export const steering = signal<Steering | null>(null)
/** The weights on the sliders once one was moved; null before, then those of the last run that a person asked for count. */
export const draft = signal<Weights | null>(null)
export const phase = signal<string | null>(null)
export const prior = signal<string | null>(null)

/** Why no training can start now, in words; null when it can. */
export const trainingReason = computed<string | null>(() => {
  const training = server.value?.training
  if (training === undefined) return 'The map is still loading.'
  if (training.status === 'running') return `Training runs: epoch ${training.epoch} of ${training.epochs}.`
  if (training.status === 'queued') return 'A training waits for its turn.'
  return training.reason_disabled
})

export const isTraining = computed(() => (server.value?.training.status ?? 'idle') !== 'idle')

export async function loadSteering(): Promise<void> {
  try {
    steering.value = await fetchSteering()
  } catch (error) {
    problem(error)
  }
}

/** What the sliders show. */
export const shownWeights = computed<Weights | null>(() => draft.value ?? steering.value?.weights ?? null)

export function setWeight(term: Term, value: number): void {
  const now = shownWeights.value
  if (now !== null) draft.value = { ...now, [term]: value }
}

export function usePreset(weights: Weights): void {
  draft.value = { ...weights }
}

/** Back to the defaults. */
export function resetWeights(): void {
  const defaults = steering.value?.defaults
  if (defaults !== undefined) draft.value = { ...defaults }
}

/** Whether the sliders differ from the defaults. */
export const moved = computed(() => {
  const now = shownWeights.value, defaults = steering.value?.defaults
  return now !== null && defaults !== undefined && TERMS.some((term) => now[term] !== defaults[term])
})

export function train(epochs: number): void {
  const reason = trainingReason.value
  if (reason !== null) {
    toast(reason, 'problem')
    return
  }
  whenSignedIn(`train ${plural(epochs, 'epoch')}`, async () => {
    try {
      await startTraining({ epochs, weights: shownWeights.value, prior: prior.value, phase: phase.value })
      await refreshState()
      announce(`Training ${plural(epochs, 'epoch')}. Labels given meanwhile count at once in predictions, and from the next training on in the model.`)
    } catch (error) {
      problem(error)
    }
  })
}

export function stop(): void {
  if (!isTraining.value) {
    toast('No training runs.')
    return
  }
  whenSignedIn('stop the training', async () => {
    try {
      await stopTraining()
      toast('Training stops after this batch; what it learned stays.')
    } catch (error) {
      problem(error)
    }
  })
}

export function restore(id: number | string): void {
  whenSignedIn(`restore run ${id}`, async () => {
    try {
      await restoreRun(id)
      toast(`Run ${id} is used again.`)
    } catch (error) {
      problem(error)
    }
  })
}

/** alpha0: above 0, or null for the value that Lantern chooses. */
export function setSmoothing(alpha0: number | null): void {
  whenSignedIn('change the label smoothing', async () => {
    try {
      await saveSettings({ alpha0 })
      await refreshState()
    } catch (error) {
      problem(error)
    }
  })
}
