import { describe, expect, it } from 'vitest'
import { atypical, sample } from './gallery'
import type { Described } from './selectionSummary'

const rows = Uint32Array.from({ length: 1000 }, (_, i) => 3 * i)

describe('the sample of a selection', () => {
  it('has each item once, in order, and is the same the next time', () => {
    const chosen = sample(rows, 24)
    expect(new Set(chosen).size).toBe(24)
    expect(chosen).toEqual([...chosen].sort((a, b) => a - b))
    expect(chosen.every((row) => row % 3 === 0 && row < 3000)).toBe(true)
    expect(sample(rows, 24)).toEqual(chosen)
  })

  it('reaches all parts of a selection', () => {
    const chosen = sample(rows, 100)
    for (const start of [0, 1000, 2000]) expect(chosen.some((row) => row >= start && row < start + 1000)).toBe(true)
  })

  it('is the selection itself when that is small', () => expect(sample(Uint32Array.of(4, 9), 24)).toEqual([4, 9]))
})

describe('the atypical items of a selection', () => {
  const columns: Described = {
    ids: Uint32Array.of(1, 2, 3, 4, 5),
    class: Uint16Array.of(0, 0, 0, 1, 0),
    status: Uint8Array.of(1, 1, 1, 1, 1),
    confidence: new Uint8Array(5),
    s_ood: Uint8Array.of(0, 200, 0, 10, 0),
    novelty: Uint8Array.of(0, 0, 0, 0, 255),
  }

  it('are the strange ones and those of another class', () => {
    expect(atypical(columns, Uint32Array.of(0, 1, 2, 3, 4), 3)).toEqual([4, 1, 3])
  })

  it('are no more than asked for, ties included', () => {
    expect(atypical(columns, Uint32Array.of(0, 2), 1)).toEqual([0])
  })
})
