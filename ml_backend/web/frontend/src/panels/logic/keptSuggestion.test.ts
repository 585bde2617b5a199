import { describe, expect, it } from 'vitest'
import { withShown } from './keptSuggestion'

const suggestion = (row: number, task: number) => ({ row, task, reason: `of ${task}`, score: 0 })
const queue = (...tasks: number[]) => tasks.map((task) => suggestion(task - 100, task))

describe('a new queue', () => {
  it('keeps what is shown, under the row that it has now', () => {
    expect(withShown(queue(104, 105), queue(109), 7, 104)).toEqual([suggestion(7, 104), ...queue(109)])
  })

  it('goes on with the best of the new order, wherever what is shown stands in it', () => {
    expect(withShown(queue(104, 105), queue(109, 108, 104, 107), 4, 104)).toEqual(queue(104, 109, 108, 107))
  })

  it('does not come back to what was walked past', () => {
    expect(withShown(queue(101, 102, 103, 104), queue(109, 102, 103, 101), 3, 103)).toEqual(queue(102, 101, 103, 109))
  })

  it('is as it is where nothing of the queue is shown', () => {
    const fresh = queue(109)
    expect(withShown(queue(103), fresh, 5, 105)).toBe(fresh)
    expect(withShown(queue(103), fresh, null, null)).toBe(fresh)
  })
})
