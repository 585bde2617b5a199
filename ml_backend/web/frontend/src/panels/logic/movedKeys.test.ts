import { describe, expect, it } from 'vitest'
import { keysInWords, keysMoved } from './movedKeys'

const nobody: ReadonlySet<string> = new Set()

describe('the number keys', () => {
  it('have moved when a class comes in front, goes from there, or changes places', () => {
    expect(keysMoved(['cat', 'dog'], ['bird', 'cat', 'dog'], nobody)).toBe(true)
    expect(keysMoved(['cat', 'dog'], ['dog'], nobody)).toBe(true)
    expect(keysMoved(['cat', 'dog'], ['dog', 'cat'], nobody)).toBe(true)
  })

  it('have not when a class comes last, goes from there, or is called otherwise', () => {
    expect(keysMoved(['cat', 'dog'], ['cat', 'dog', 'bird'], nobody)).toBe(false)
    expect(keysMoved(['cat', 'dog'], ['cat'], nobody)).toBe(false)
    expect(keysMoved(['cat', 'dog'], ['kitten', 'dog'], nobody)).toBe(false)
  })

  it('have no news where the person made the class here, wherever it stands', () => {
    expect(keysMoved(['cat'], ['bird', 'cat'], new Set(['bird']))).toBe(false)
    expect(keysMoved(['0', '1'], ['0', '1', 'none'], new Set(['none']))).toBe(false)
    expect(keysMoved(['0', '1'], ['0', '1', 'none'], nobody)).toBe(true) // digits were their own keys
    expect(keysMoved(['cat'], ['dog', 'bird', 'cat'], new Set(['bird']))).toBe(true)
  })

  it('are said with the names that people see, the first few', () => {
    expect(keysInWords(['cat', 'dog'], ['Cat', 'dog'], 9)).toBe('1 Cat, 2 dog')
    expect(keysInWords(['a', 'b', 'c'], ['a', 'b', 'c'], 2)).toBe('1 a, 2 b, …')
    expect(keysInWords(['0', '1'], ['0', '1'], 9)).toBe('0 0, 1 1')
  })
})
