import { expect, it } from 'vitest'
import { Motion } from './motion'

const from = Float32Array.from([0, 0, 1, 1]), to = Float32Array.from([1, 0, 1, -1])

it('points go from where they are to where they belong', () => {
  const motion = Motion.still(from).next(to, 1000, 400)
  expect([...motion.at(1000)]).toEqual([...from])
  expect([...motion.at(1400)]).toEqual([...to])
  expect(motion.at(1200)[0]).toBeCloseTo(0.5)
  expect(motion.placeOf(1, 1200)[1]).toBeCloseTo(0)
  expect(motion.moves(1399)).toBe(true)
  expect(motion.moves(1400)).toBe(false)
})

it('a new goal starts from the place of that moment', () => {
  const motion = Motion.still(from).next(to, 1000, 400).next(from, 1200, 400)
  expect(motion.at(1200)[0]).toBeCloseTo(0.5)
  expect(motion.at(1600)[0]).toBe(0)
})

it('stops at once when it must not move on, and never moves other points into these', () => {
  const motion = Motion.still(from).next(to, 1000, 400)
  motion.finish()
  expect([...motion.at(1100)]).toEqual([...to])
  expect(Motion.still(from).next(Float32Array.from([9, 9]), 1000, 400).moves(1001)).toBe(false)
})
