import { frozen, server } from '../state'
import { stop, train, trainingReason } from './trainingActions'

/** Train 1, train 5, stop; while one runs, how far it is. */
export function TrainButtons() {
  const training = server.value?.training
  const reason = trainingReason.value
  const busy = training !== undefined && training.status !== 'idle'
  const share = training !== undefined && training.epochs > 0 ? training.epoch / training.epochs : 0
  return (
    <section class="section" aria-label="Train">
      <div class="row">
        <button type="button" class="button primary grow" aria-disabled={reason !== null} aria-describedby="training-reason" onClick={() => train(1)}>Train 1 epoch <kbd>T</kbd></button>
        <button type="button" class="button grow" aria-disabled={reason !== null} aria-describedby="training-reason" onClick={() => train(5)}>Train 5 <kbd>⇧T</kbd></button>
        <button type="button" class="button danger" disabled={!busy} onClick={stop}>Stop <kbd>S</kbd></button>
      </div>
      {busy && <progress class="progress" max="1" value={training.status === 'queued' ? undefined : share} aria-label="Training" />}
      <p id="training-reason" class="small quietly">
        {reason ?? 'Ready.'} {busy && training.phase !== null && `Phase: ${training.phase}. `}{busy && 'Keep labelling: new labels count at once in predictions, and in the next training.'}
      </p>
      <label class="tick small" title="Points stay where they are until this is off again">
        <input type="checkbox" checked={frozen.value} onChange={(event) => (frozen.value = event.currentTarget.checked)} /><span>Hold the points still</span>
      </label>
    </section>
  )
}
