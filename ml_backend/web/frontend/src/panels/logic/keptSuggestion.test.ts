import { describe, expect, it } from 'vitest'
import { placed, withShown } from './keptSuggestion'

const suggestion = (row: number, task: number) => ({ row, task, reason: `of ${task}`, score: 0 })
const queue = (...tasks: number[]) => tasks.map((task) => suggestion(task - 100, task))

describe('the queue', () => {
  it('follows its tasks where rows have other numbers, and leaves out those that are gone', () => {
    const ids = Uint32Array.of(103, 0, 101, 104)
    expect(placed(queue(101, 102, 103), ids)).toEqual([suggestion(2, 101), suggestion(0, 103)])
  })

  it('is as it is where every row has its task', () => {
    const all = queue(100, 102)
    expect(placed(all, Uint32Array.of(100, 101, 102))).toBe(all)
  })
})

describe('a new queue', () => {
  it('keeps what is shown', () => {
    expect(withShown(queue(104, 105), queue(109), 104)).toEqual(queue(104, 109))
  })

  it('goes on with the best of the new order, wherever what is shown stands in it', () => {
    expect(withShown(queue(104, 105), queue(109, 108, 104, 107), 104)).toEqual(queue(104, 109, 108, 107))
  })

  it('does not come back to what was walked past', () => {
    expect(withShown(queue(101, 102, 103, 104), queue(109, 102, 103, 101), 103)).toEqual(queue(102, 101, 103, 109))
  })

  it('is as it is where nothing of the queue is shown', () => {
    const fresh = queue(109)
    expect(withShown(queue(103), fresh, 105)).toBe(fresh)
    expect(withShown(queue(103), fresh, null)).toBe(fresh)
  })
})
