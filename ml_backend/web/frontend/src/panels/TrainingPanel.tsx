/** Steering: what the next training weighs, and what the last ones did. */

import { server } from '../state'
import { LossChart } from './LossChart'
import { loadRuns, runs } from './runsActions'
import { RunsTable } from './RunsTable'
import { Smoothing } from './Smoothing'
import { TrainButtons } from './TrainButtons'
import { loadSteering } from './trainingActions'
import { useReload } from './useReload'
import { WeightSliders } from './WeightSliders'
import { Phases } from './Phases'

export function TrainingPanel() {
  const state = server.value
  useReload(() => Promise.all([loadSteering(), loadRuns()]), [state?.training.run, state?.training.status, state?.training.epoch, state?.versions.publication])
  return (
    <>
      <TrainButtons />
      <LossChart runs={runs.value} />
      <WeightSliders />
      <Phases />
      <Smoothing />
      <RunsTable runs={runs.value} />
    </>
  )
}
