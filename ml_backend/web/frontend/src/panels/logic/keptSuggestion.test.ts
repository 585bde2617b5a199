import { describe, expect, it } from 'vitest'
import { withShown } from './keptSuggestion'

const suggestion = (row: number, task: number) => ({ row, task, reason: `of ${task}`, score: 0 })

describe('a new queue', () => {
  const before = [suggestion(3, 103), suggestion(4, 104)]

  it('keeps what is shown, under the row that it has now', () => {
    expect(withShown(before, [suggestion(9, 109)], 7, 104)).toEqual([suggestion(7, 104), suggestion(9, 109)])
  })

  it('shows it once where it is still suggested', () => {
    const fresh = [suggestion(9, 109), suggestion(7, 104)]
    expect(withShown(before, fresh, 7, 104)).toBe(fresh)
  })

  it('keeps nothing that was no suggestion, and nothing where nothing is shown', () => {
    const fresh = [suggestion(9, 109)]
    expect(withShown(before, fresh, 5, 105)).toBe(fresh)
    expect(withShown(before, fresh, null, null)).toBe(fresh)
  })
})
