import { expect, it } from 'vitest'
import { type LiveEpoch, withEpoch } from './liveEpochs'

const live = (epoch: number): LiveEpoch => ({ run: 7, epoch, losses: { kl: epoch }, weighted: {}, usage: null, accuracy: null })

it('an epoch takes its place, once', () => {
  const run = withEpoch(withEpoch({ id: 7, epochs: [] }, live(1)), live(2))
  expect(run.epochs.map(({ losses }) => losses['kl'])).toEqual([1, 2])
  expect(withEpoch(run, live(2)).epochs).toHaveLength(2)
})

it('an epoch of another run, or one after a gap, changes nothing', () => {
  expect(withEpoch({ id: 8, epochs: [] }, live(1)).epochs).toEqual([])
  expect(withEpoch({ id: 7, epochs: [] }, live(3)).epochs).toEqual([])
})
