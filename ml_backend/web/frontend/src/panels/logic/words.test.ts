import { describe, expect, it } from 'vitest'
import { ago, figure, percent, plural, range, signed } from './words'

describe('numbers in words', () => {
  it('groups thousands and knows one from many', () => {
    expect(plural(12480, 'item')).toBe('12,480 items')
    expect(plural(1, 'class', 'classes')).toBe('1 class')
  })

  it('keeps a decimal where an end of a range is not quite none or all', () => {
    expect(range(0.914, 0.982)).toBe('91–98%')
    expect(range(0.912, 0.9961)).toBe('91–99.6%')
    expect(range(0, 1)).toBe('0–100%')
    expect(range(0.0001, 0.99999)).toBe('0.1–99.9%')
  })

  it('says none and all only when it is so', () => {
    expect([0, 0.001, 0.824, 0.999, 1].map(percent)).toEqual(['0%', '<1%', '82%', '>99%', '100%'])
    expect(percent(Number.NaN)).toBe('–')
  })

  it('shows a difference with its sign', () => {
    expect([0.0312, -0.4, 0].map((value) => signed(value))).toEqual(['+0.0312', '−0.4', '0'])
  })

  it('has a dash for a loss that was not computed', () => expect(figure(null)).toBe('–'))

  it('says how long ago', () => {
    const now = new Date('2026-05-01T12:00:00Z')
    const times = ['2026-05-01T11:59:30Z', '2026-05-01T11:20:00Z', '2026-05-01T02:00:00Z', '2026-04-02T00:00:00Z', 'x']
    expect(times.map((time) => ago(time, now))).toEqual(['just now', '40 min ago', '10 h ago', '2026-04-02', ''])
  })
})
