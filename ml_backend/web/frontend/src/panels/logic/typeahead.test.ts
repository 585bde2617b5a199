import { describe, expect, it } from 'vitest'
import { classOfKey, exists, keyOfClass, matching } from './typeahead'

describe('digit keys', () => {
  it('name the first twenty classes', () => {
    expect(classOfKey('Digit1', false)).toBe(0)
    expect(classOfKey('Digit0', false)).toBe(9)
    expect(classOfKey('Numpad3', true)).toBe(12)
    expect(classOfKey('KeyA', false)).toBeNull()
  })

  it('are shown as they are pressed', () => {
    expect([0, 9, 10, 19, 20].map(keyOfClass)).toEqual(['1', '0', '⇧1', '⇧0', ''])
    for (let index = 0; index < 20; index++) {
      const shown = keyOfClass(index)
      expect(classOfKey(`Digit${shown.slice(-1)}`, shown.startsWith('⇧'))).toBe(index)
    }
  })
})

describe('typing a class', () => {
  const names = ['card arrival', 'refund', 'request refund', 'prefund', 'top up', 'REF']

  it('puts the exact name first, then starts, words, parts and letters in order', () => {
    expect(matching(names, 'ref').map((i) => names[i])).toEqual(['REF', 'refund', 'request refund', 'prefund'])
    expect(matching(names, 'tup').map((i) => names[i])).toEqual(['top up'])
  })

  it('shows all for nothing and none for nonsense', () => {
    expect(matching(names, ' ')).toHaveLength(names.length)
    expect(matching(names, 'zzz')).toEqual([])
  })

  it('knows a name whatever its case', () => {
    expect(exists(names, ' Refund ')).toBe(true)
    expect(exists(names, 'refun')).toBe(false)
  })
})
