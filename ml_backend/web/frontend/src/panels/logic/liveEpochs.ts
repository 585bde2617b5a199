/** Epochs that arrive while a training runs, joined with what the server lists of it. */

import type { EpochLosses } from './losses'

export interface LiveEpoch extends EpochLosses {
  readonly run: number | string
  /** 1..epochs. */
  readonly epoch: number
  readonly usage: number | null
  readonly accuracy: number | null
}

interface WithEpochs {
  readonly id: number | string
  readonly epochs: readonly EpochLosses[]
}

/** The run with that epoch in its place; an epoch that is there already is replaced, other runs stay as they are. */
export function withEpoch<Run extends WithEpochs>(run: Run, live: LiveEpoch): Run {
  if (run.id !== live.run || live.epoch < 1 || live.epoch > run.epochs.length + 1) return run
  const epochs = [...run.epochs]
  epochs[live.epoch - 1] = live
  return { ...run, epochs }
}
