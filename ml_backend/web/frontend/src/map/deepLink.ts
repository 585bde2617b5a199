/** Keeps what is shown in the address, so that a reload, a bookmark or the next task shows the same. */

import { effect } from '@preact/signals'
import { fromAddress, toAddress } from '../address'
import { COLOUR_MODES, colourMode, control, filters, hidden, mode, MODES, oodThreshold } from '../state'
import { LEAST_ZOOM, MOST_ZOOM, type View } from './camera'
import { theStage } from '.'
import { view } from './stage'

const REST_MILLISECONDS = 300

/** Takes the address' wishes; to be called before anything is shown. */
export function readAddress(): void {
  const colour = COLOUR_MODES.find((each) => each === fromAddress('colour'))
  if (colour !== undefined) colourMode.value = colour
  const tool = MODES.find((each) => each === fromAddress('mode'))
  if (tool !== undefined) mode.value = tool
  control.value = fromAddress('control') ?? control.peek()
  hidden.value = new Set(numbers('hide'))
  const ood = numbers('ood')[0]
  if (ood !== undefined && ood >= 0 && ood <= 1) oodThreshold.value = ood
  const statuses = numbers('status')
  filters.value = { changed: fromAddress('changed') === '1', statuses: statuses.length > 0 ? new Set(statuses) : null, minOod: numbers('from-ood')[0] ?? null }
}

/** The view of the address, for a screen of this size; null without one. */
export function viewOfAddress(now: View): View | null {
  const [x, y, zoom] = numbers('view')
  if (x === undefined || y === undefined || zoom === undefined || !(zoom >= LEAST_ZOOM && zoom <= MOST_ZOOM)) return null
  return { ...now, x, y, zoom }
}

/** Returns the way to stop. */
export function writeAddress(): () => void {
  let timer: number | null = null
  const stop = effect(() => {
    const { x, y, zoom } = view.value, { changed, statuses, minOod } = filters.value
    const home = theStage()?.isHome() ?? true
    const values = {
      view: home ? null : [x.toFixed(4), y.toFixed(4), zoom.toFixed(3)].join(','),
      colour: colourMode.value === 'label' ? null : colourMode.value,
      mode: mode.value === 'lasso' ? null : mode.value,
      control: control.value === '' ? null : control.value,
      hide: hidden.value.size === 0 ? null : [...hidden.value].join(','),
      ood: oodThreshold.value === 0.9 ? null : String(oodThreshold.value),
      changed: changed ? '1' : null,
      status: statuses === null ? null : [...statuses].join(','),
      'from-ood': minOod === null ? null : String(minOod),
    }
    if (timer !== null) window.clearTimeout(timer)
    timer = window.setTimeout(() => toAddress(values), REST_MILLISECONDS)
  })
  return () => {
    stop()
    if (timer !== null) window.clearTimeout(timer)
  }
}

function numbers(name: string): number[] {
  const text = fromAddress(name)
  return text === null || text === '' ? [] : text.split(',').map(Number).filter(Number.isFinite)
}
