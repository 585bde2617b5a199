import { describe, expect, it } from 'vitest'
import { grown, inverted, uncertain } from './selectionSets'

describe('selections from selections', () => {
  it('inverting leaves hidden classes alone', () => {
    expect(inverted({ class: Uint16Array.of(0, 1, 2, 0) }, Uint32Array.of(0), new Set([2]))).toEqual([1, 3])
  })

  it('growing takes the components in as a whole', () => {
    expect(grown(Uint32Array.of(5, 5, 6, 7, 5), Uint32Array.of(1, 3))).toEqual([0, 1, 3, 4])
  })

  it('only the uncertain: neither people’s labels nor sure predictions', () => {
    const columns = { status: Uint8Array.of(1, 1, 2, 3), confidence: Uint8Array.of(250, 100, 10, 0) }
    expect(uncertain(columns, Uint32Array.of(0, 1, 2, 3))).toEqual([1, 3])
  })
})
