import { describe, expect, it } from 'vitest'
import { stopOf, typedWeight, valueAt, WEIGHT_SCALE, weightInWords } from './scale'

describe('the slider of a weight', () => {
  it('has an exact 0 at its left end and its range at the others', () => {
    expect(valueAt(0, WEIGHT_SCALE)).toBe(0)
    expect(valueAt(1, WEIGHT_SCALE)).toBe(0.001)
    expect(valueAt(WEIGHT_SCALE.stops, WEIGHT_SCALE)).toBe(10)
  })

  it('gives each factor of ten the same length', () => {
    const stops = [0.001, 0.01, 0.1, 1, 10].map((value) => stopOf(value, WEIGHT_SCALE))
    const steps = stops.slice(1).map((stop, i) => stop - (stops[i] ?? 0))
    expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(1)
  })

  it('finds the way back for the weights in use', () => {
    for (const value of [0, 0.05, 0.1, 0.3, 1, 2.5]) {
      expect(Math.abs(valueAt(stopOf(value, WEIGHT_SCALE), WEIGHT_SCALE) - value)).toBeLessThanOrEqual(value * 0.03)
    }
  })

  it('stays at its ends for what lies outside', () => {
    expect(stopOf(500, WEIGHT_SCALE)).toBe(WEIGHT_SCALE.stops)
    expect(stopOf(1e-9, WEIGHT_SCALE)).toBe(1)
    expect(stopOf(Number.NaN, WEIGHT_SCALE)).toBe(0)
  })
})

describe('a typed weight', () => {
  it('takes a decimal comma', () => expect(typedWeight(' 0,25 ')).toBe(0.25))
  it.each(['', 'much', '-1', '1e9', 'Infinity'])('refuses %j', (text) => expect(typedWeight(text)).toBeNull())
  it('is said with its meaning at 0', () => expect(weightInWords(0)).toBe('0 (off)'))
})
