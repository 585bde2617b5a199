import { describe, expect, it } from 'vitest'
import { keysInWords, keysMoved } from './movedKeys'

const nobody: ReadonlySet<string> = new Set()
const letters = (text: string): string[] => [...text]

describe('the number keys', () => {
  it('have moved when a class comes in front, goes from there, or changes places', () => {
    expect(keysMoved(['cat', 'dog'], ['bird', 'cat', 'dog'], nobody)).toBe(true)
    expect(keysMoved(['cat', 'dog'], ['dog'], nobody)).toBe(true)
    expect(keysMoved(['cat', 'dog'], ['dog', 'cat'], nobody)).toBe(true)
  })

  it('have moved when a class has another one in its place, as after another value in Label Studio: its key gives another label', () => {
    expect(keysMoved(['a', 'b', 'c'], ['a', 'b', 'd'], nobody)).toBe(true)
  })

  it('have not when a class comes last, or goes from there: no key gives another label', () => {
    expect(keysMoved(['cat', 'dog'], ['cat', 'dog', 'bird'], nobody)).toBe(false)
    expect(keysMoved(['cat', 'dog'], ['cat'], nobody)).toBe(false)
    expect(keysMoved(letters('abcdefghijklmnopqrstuv'), letters('abcdefghijklmnopqrstvu'), nobody)).toBe(false) // beyond the twentieth
  })

  it('have no news where the person made the class here, wherever it stands', () => {
    expect(keysMoved(['cat'], ['bird', 'cat'], new Set(['bird']))).toBe(false)
    expect(keysMoved(['0', '1'], ['0', '1', 'none'], new Set(['none']))).toBe(false)
    expect(keysMoved(['0', '1'], ['0', '1', 'none'], nobody)).toBe(true) // digits were their own keys
  })

  it('have news where somebody else changed the classes at the same time', () => {
    expect(keysMoved(['cat'], ['dog', 'bird', 'cat'], new Set(['bird']))).toBe(true)
    expect(keysMoved(['cat', 'dog'], ['dog', 'cat', 'bird'], new Set(['bird']))).toBe(true)
    expect(keysMoved(['cat', 'dog'], ['cat', 'bird'], new Set(['bird']))).toBe(true)
  })
})

describe('the keys in words', () => {
  it('have the names that people see, a few of them', () => {
    expect(keysInWords(['dog'], ['cat', 'dog'], ['Cat', 'dog'], 9)).toBe('1 Cat, 2 dog')
    expect(keysInWords(['b', 'c'], ['a', 'b', 'c'], ['a', 'b', 'c'], 2)).toBe('1 a, 2 b, …')
    expect(keysInWords(['0', '1'], ['0', '1', 'none'], ['0', '1', 'none'], 9)).toBe('1 0, 2 1, 3 none')
  })

  it('begin with the first that gives another class, and end with the last key that there is', () => {
    const before = letters('abcdefghijklmnopqrst'), after = letters('abcdefghijklmnopqZrst')
    expect(keysInWords(before, after, after, 10)).toBe('⇧8 Z, ⇧9 r, ⇧0 s')
  })
})
