import { describe, expect, it } from 'vitest'
import { actInWords, type Done, nextRedo, nextUndo, progressInWords, progressShare } from './history'

function act(id: number, undone = false, progress = { sent: 2, failed: 0, waiting: 0 }): Done {
  return { id, kind: 'label', label: 'refund', control: 'kind', person: 'Ada', tasks: 412, undone, progress }
}

describe('undo and redo', () => {
  it('undo takes the newest act that stands', () => {
    expect(nextUndo([act(3, true), act(2), act(1)], 'Ada')?.id).toBe(2)
    expect(nextUndo([act(1, true)], 'Ada')).toBeNull()
  })

  it('undo leaves alone what others did', () => {
    expect(nextUndo([{ ...act(2), person: 'Bob' }, act(1)], 'Ada')?.id).toBe(1)
  })

  it('redo brings back in the opposite order of undo', () => {
    const acts = [act(3, true), act(2, true), act(1)]
    expect(nextRedo(acts, [3, 2])?.id).toBe(2)
    expect(nextRedo([act(3, true), act(2), act(1)], [3, 2])?.id).toBe(3)
  })

  it('redo leaves alone what others, or an earlier sitting, have undone', () => {
    expect(nextRedo([act(3, true)], [])).toBeNull()
  })
})

describe('acts in words', () => {
  it('say what was done', () => {
    expect(actInWords(act(1))).toBe('Labelled 412 as refund')
    expect(actInWords({ ...act(1), label: 'yes', control: 'tags/mit Emoji' })).toBe('Labelled 412 as yes (tags: mit Emoji)')
    expect(actInWords({ kind: 'accept', label: null, control: null, tasks: 1 })).toBe('Accepted 1 prediction')
    expect(actInWords({ kind: 'never_seen', label: null, control: null, tasks: 3 })).toBe('Marked 3 items as never seen')
  })

  it('say how far they are', () => {
    expect(progressInWords(act(1))).toBe('2 in Label Studio')
    expect(progressInWords(act(1, false, { sent: 300, failed: 0, waiting: 112 }))).toBe('300 of 412 in Label Studio')
    expect(progressInWords(act(1, false, { sent: 410, failed: 2, waiting: 0 }))).toBe('2 failed, 410 of 412 in Label Studio')
    expect(progressInWords(act(1, true, { sent: 0, failed: 0, waiting: 5 }))).toBe('undone, 5 still to take back')
  })

  it('have a share that is whole when nothing is left', () => {
    expect(progressShare(act(1, false, { sent: 1, failed: 1, waiting: 2 }))).toBe(0.25)
    expect(progressShare(act(1, false, { sent: 0, failed: 0, waiting: 0 }))).toBe(1)
  })
})
