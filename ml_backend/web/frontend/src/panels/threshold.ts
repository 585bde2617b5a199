/** Where "outside what is labelled" begins. */

import { effect } from '@preact/signals'
import { fromAddress } from '../address'
import { presentValues } from '../absent'
import { columns, filters, oodThreshold } from '../state'
import { levelFor } from './logic/levels'

/** So many items are ringed at first, and no larger share of a small project: absolute values differ much between projects. */
const RINGED_AT_FIRST = 100
const MOST_AT_FIRST = 0.05

/** The ring and, where it is used, the filter. value: 0..1. */
export function moveThreshold(value: number): void {
  oodThreshold.value = value
  if (filters.value.minOod !== null) filters.value = { ...filters.value, minOod: value }
}

/** Chooses the threshold once the first items are there, unless the page's address has set one. */
export function chooseThresholdOnce(): () => void {
  let chosen = fromAddress('ood') !== null
  return effect(() => {
    const values = presentValues(columns.value, columns.value.s_ood), n = values.length
    if (chosen || n === 0) return
    chosen = true
    moveThreshold(levelFor(values, Math.min(MOST_AT_FIRST, RINGED_AT_FIRST / n)) / 255)
  })
}
