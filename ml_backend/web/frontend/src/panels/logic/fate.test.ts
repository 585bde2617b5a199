import { describe, expect, it } from 'vitest'
import { fate, seen } from './fate'
import { STATUS } from './selectionSummary'

const ids = Uint32Array.of(11, 12, 0)
const map = (status: number) => ({ ids, status: Uint8Array.of(status, STATUS.none, STATUS.absent) })
const open = seen(map(STATUS.propagated), 0)
const nobody = (): boolean => false

describe('the suggestion that somebody looks at', () => {
  it('is gone when no row has its task any more', () => {
    const lost = { task: 13, answered: false }
    expect(fate(lost, null, ids, nobody)).toBe('gone')
    expect(fate(open, null, ids, nobody)).toBeNull() // only no longer looked at
    expect(fate(lost, null, new Uint32Array(), nobody)).toBeNull() // there is no map for a moment
  })

  it('is answered by somebody else, with a class or without', () => {
    for (const status of [STATUS.human, STATUS.setAside]) expect(fate(open, seen(map(status), 0), ids, nobody)).toBe('answered')
  })

  it('goes without a word where this page answered it, or another one is looked at', () => {
    expect(fate(open, seen(map(STATUS.human), 0), ids, (task) => task === 11)).toBeNull()
    expect(fate(open, seen(map(STATUS.human), 1), ids, nobody)).toBeNull()
    expect(fate(seen(map(STATUS.human), 0), seen(map(STATUS.setAside), 0), ids, nobody)).toBeNull()
    expect(fate(null, open, ids, nobody)).toBeNull()
  })
})
