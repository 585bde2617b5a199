import { describe, expect, it } from 'vitest'
import { classCounts, mapInWords } from './mapSummary'
import { NONE, STATUS } from './selectionSummary'

const columns = {
  ids: Uint32Array.of(1, 2, 3, 4),
  class: Uint16Array.of(1, 1, 0, NONE),
  status: Uint8Array.of(2, 1, 1, 3),
  confidence: new Uint8Array(4),
  s_ood: Uint8Array.of(0, 0, 0, 255),
  novelty: new Uint8Array(4),
}

describe('the map in words', () => {
  it('counts what people and Lantern named', () => {
    expect(classCounts(columns, Uint32Array.of(0, 1, 2))).toEqual([
      { index: 1, human: 1, propagated: 1 }, { index: 0, human: 0, propagated: 1 },
    ])
  })

  it('counts nothing whose task is gone', () => {
    const deleted = { ...columns, status: Uint8Array.of(2, STATUS.absent, 1, STATUS.absent) }
    expect(classCounts(deleted, null)).toEqual([{ index: 0, human: 0, propagated: 1 }, { index: 1, human: 1, propagated: 0 }])
    expect(mapInWords(deleted, ['refund', 'top up'], 0, 0.5)).toBe(
      'Map of 2 items; people labelled 1 (50%). Largest classes: refund 1, top up 1. 0 items outside what is labelled. Nothing is selected.',
    )
  })

  it('says what there is to see', () => {
    expect(mapInWords(columns, ['refund', 'top up'], 2, 0.5)).toBe(
      'Map of 4 items; people labelled 1 (25%). Largest classes: top up 2, refund 1. 1 item without a name. ' +
        '1 item like nothing seen before. 1 item outside what is labelled. 2 selected.',
    )
  })
})
