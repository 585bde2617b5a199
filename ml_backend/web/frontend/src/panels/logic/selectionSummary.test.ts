import { describe, expect, it } from 'vitest'
import { assignment, asks, question } from './guard'
import { type Described, NONE, rowsToAccept, rowsToLabel, STATUS, summarise } from './selectionSummary'

/** Six items: two predicted 0, one predicted 1, one human 1, one never seen, one without a task. */
const columns: Described = {
  ids: Uint32Array.of(11, 12, 13, 14, 15, 0),
  class: Uint16Array.of(0, 0, 1, 1, NONE, 0),
  status: Uint8Array.of(1, 1, 1, STATUS.human, STATUS.neverSeen, STATUS.absent),
  confidence: Uint8Array.of(255, 102, 204, 0, 0, 0),
  s_ood: Uint8Array.of(0, 10, 128, 0, 250, 0),
  novelty: new Uint8Array(6),
}
const all = Uint32Array.of(0, 1, 2, 3, 4, 5)
const nothing: ReadonlySet<number> = new Set()

describe('the summary of a selection', () => {
  it('keeps what people said apart from what is predicted', () => {
    const summary = summarise(columns, all, nothing, 0.5)
    expect(summary).toMatchObject({ items: 6, human: 1, neverSeen: 1, oodShare: 2 / 6 })
    expect(summary.mix[0]).toEqual({ index: 0, human: 0, predicted: 3 })
    expect(summary.mix[1]).toEqual({ index: 1, human: 1, predicted: 1 })
  })

  it('means the confidence of predictions only', () => {
    expect(summarise(columns, all, nothing, 0.5).confidence).toBeCloseTo((1 + 0.4 + 0.8) / 3)
    expect(summarise(columns, Uint32Array.of(3, 4), nothing, 0.5).confidence).toBeNull()
  })

  it('leaves out what was dropped', () => {
    expect(summarise(columns, all, new Set([0, 1]), 0.5).items).toBe(4)
  })
})

describe('the rows that a label reaches', () => {
  it('are those with a task and without a label of a person', () => {
    expect(rowsToLabel(columns, all, new Set([0]), false)).toEqual([1, 2, 4])
    expect(rowsToLabel(columns, all, nothing, true)).toEqual([0, 1, 2, 3, 4])
  })

  it('are the sure predictions when predictions are accepted', () => {
    expect(rowsToAccept(columns, all, 0.8)).toEqual([0, 2])
    expect(rowsToAccept(columns, all, 0)).toEqual([0, 1, 2])
  })
})

describe('the guard', () => {
  const ask = assignment(columns, all, rowsToLabel(columns, all, nothing, false), 0, false)

  it('says how pure the selection is and what happens to the labels of people', () => {
    expect(ask.purity).toBeCloseTo(2 / 3)
    expect(question('refund', ask)).toBe(
      'Assign “refund” to 4 items? 1 is labelled by a person (kept). 67% are predicted “refund”.',
    )
    expect(question('refund', { ...ask, human: 37, overwrite: true })).toContain('37 are labelled by people (replaced).')
    expect(question('refund', { ...ask, human: 0, purity: null })).toContain('None of them has a prediction.')
  })

  it('asks before many, before mixed and before what replaces labels, and not else', () => {
    expect(asks({ items: 999, human: 0, overwrite: false, purity: 0.9 })).toBe(false)
    expect(asks({ items: 1000, human: 0, overwrite: false, purity: 1 })).toBe(true)
    expect(asks({ items: 100, human: 0, overwrite: false, purity: 0.2 })).toBe(true)
    expect(asks({ items: 99, human: 0, overwrite: false, purity: 0.2 })).toBe(false)
    expect(asks({ items: 5, human: 2, overwrite: true, purity: 1 })).toBe(true)
    expect(asks({ items: 5, human: 2, overwrite: false, purity: 1 })).toBe(false)
  })
})
