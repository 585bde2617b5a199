import { expect, it } from 'vitest'
import { isolated, toggledHidden } from './hiding'

it('a click hides and shows a class', () => {
  expect(toggledHidden(new Set([1]), 2)).toEqual(new Set([1, 2]))
  expect(toggledHidden(new Set([1]), 1)).toEqual(new Set())
})

it('a double-click shows a class alone, a second one shows all', () => {
  const alone = isolated(new Set([1]), 1, [0, 1, 2])
  expect(alone).toEqual(new Set([0, 2]))
  expect(isolated(alone, 1, [0, 1, 2])).toEqual(new Set())
  expect(isolated(alone, 0, [0, 1, 2])).toEqual(new Set([1, 2]))
})
