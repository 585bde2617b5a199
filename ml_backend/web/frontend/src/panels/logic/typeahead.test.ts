import { describe, expect, it } from 'vitest'
import { classOfKey, exists, keyOfClass, matching } from './typeahead'

describe('digit keys', () => {
  const names = Array.from({ length: 21 }, (_, i) => `class ${i}`)

  it('name the first twenty classes', () => {
    expect(classOfKey('Digit1', false, names)).toBe(0)
    expect(classOfKey('Digit0', false, names)).toBe(9)
    expect(classOfKey('Numpad3', true, names)).toBe(12)
    expect(classOfKey('KeyA', false, names)).toBeNull()
    expect(classOfKey('Digit3', false, ['yes', 'no'])).toBeNull()
  })

  it('are shown as they are pressed', () => {
    expect([0, 9, 10, 19, 20].map((index) => keyOfClass(index, names))).toEqual(['1', '0', '⇧1', '⇧0', ''])
    for (let index = 0; index < 20; index++) {
      const shown = keyOfClass(index, names)
      expect(classOfKey(`Digit${shown.slice(-1)}`, shown.startsWith('⇧'), names)).toBe(index)
    }
  })

  it('are their own names where the classes are digits', () => {
    const digits = ['0', '1', '2', '7']
    expect(classOfKey('Digit0', false, digits)).toBe(0)
    expect(classOfKey('Digit7', false, digits)).toBe(3)
    expect(classOfKey('Digit9', false, digits)).toBeNull()
    expect(keyOfClass(3, digits)).toBe('7')
  })
})

describe('typing a class', () => {
  const names = ['card arrival', 'refund', 'request refund', 'prefund', 'top up', 'REF']
  const classes = names.map((name) => [name])

  it('puts the exact name first, then starts, words, parts and letters in order', () => {
    expect(matching(classes, 'ref').map((i) => names[i])).toEqual(['REF', 'refund', 'request refund', 'prefund'])
    expect(matching(classes, 'tup').map((i) => names[i])).toEqual(['top up'])
  })

  it('shows all for nothing and none for nonsense', () => {
    expect(matching(classes, ' ')).toHaveLength(names.length)
    expect(matching(classes, 'zzz')).toEqual([])
  })

  it('knows a name whatever its case', () => {
    expect(exists(classes, ' Refund ')).toBe(true)
    expect(exists(classes, 'refun')).toBe(false)
  })

  it('finds a class by its own value and by the name that it is shown as', () => {
    const renamed = [['Money back', 'refund'], ['top up', 'top up']]
    expect(matching(renamed, 'refu')).toEqual([0])
    expect(matching(renamed, 'money')).toEqual([0])
    expect(exists(renamed, 'money back')).toBe(true)
    expect(exists(renamed, 'REFUND')).toBe(true)
  })
})
