import { describe, expect, it } from 'vitest'
import { compare, lossLines, positive, runInWords, type RunLosses, sameWeights } from './losses'

const weights = { reconstruction: 1, kl: 1, prior: 0.1, spread: 0.3, sparsity: 0.05, classification: 1, contrastive: 1 }

function run(id: number, values: number[], kl = 1): RunLosses {
  const epochs = values.map((value) => ({ losses: { reconstruction: value, kl: 2 }, weighted: { reconstruction: value, kl: 2 * kl } }))
  return { id, weights: { ...weights, kl }, epochs }
}

describe('the lines of the loss chart', () => {
  it('run through all runs and mark where the weights changed', () => {
    const lines = lossLines([run(1, [9, 8]), run(2, [7]), run(3, [6, 5], 0.1)], true)
    expect(lines.epochs).toEqual([1, 2, 3, 4, 5])
    expect(lines.runs).toEqual([1, 1, 2, 3, 3])
    expect(lines.changes).toEqual([4])
    expect(lines.terms.kl).toEqual([2, 2, 2, 0.2, 0.2])
    expect(lines.total).toEqual([11, 10, 9, 6.2, 5.2])
  })

  it('show the terms themselves, too, with the same total', () => {
    const lines = lossLines([run(1, [9], 0.1)], false)
    expect(lines.terms.kl).toEqual([2])
    expect(lines.total).toEqual([9.2])
    expect(lines.terms.contrastive).toEqual([null])
  })

  it('skip runs without an epoch, without marking them', () => {
    expect(lossLines([run(1, [9]), run(2, [], 5), run(3, [8])], true).changes).toEqual([])
  })

  it('leave out what a logarithmic axis cannot show', () => {
    expect(positive([1, 0, -2, null])).toEqual([1, null, null, null])
  })
})

describe('comparing two runs', () => {
  it('names the weights that differ and all losses', () => {
    const { weights: differing, losses } = compare(run(1, [9]), run(2, [6], 0.5))
    expect(differing).toEqual([{ name: 'KL', first: 1, second: 0.5 }])
    expect(losses[0]).toEqual({ name: 'Reconstruction', first: 9, second: 6 })
  })

  it('knows the curriculum’s own weights from chosen ones', () => {
    expect(sameWeights(null, null)).toBe(true)
    expect(sameWeights(null, weights)).toBe(false)
    expect(sameWeights(weights, { ...weights })).toBe(true)
  })
})

describe('what came of a run', () => {
  it('is said in one sentence', () => {
    const effect = { accuracy: 0.92, accuracy_before: 0.9, changed: 1203 }
    expect(runInWords({ id: 7, stopped: false, error: null, effect })).toBe('Run 7 is done: 1,203 changed label, accuracy 92% (+2 points).')
    expect(runInWords({ id: 7, stopped: true, error: null, effect: null })).toBe('Run 7 was stopped.')
    expect(runInWords({ id: 7, stopped: false, error: 'no memory', effect: null })).toBe('Run 7 failed: no memory')
  })
})
