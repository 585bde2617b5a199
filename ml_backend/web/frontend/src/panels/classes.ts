/** The classes of the control that is worked on. */

import { computed } from '@preact/signals'
import { control, server } from '../state'
import { NONE } from './logic/selectionSummary'

export interface ShownClass {
  readonly name: string
  readonly colour: string
  readonly human: number
  readonly propagated: number
}

/** What one can work on; a control that takes several answers has one entry a choice. */
export const controlChoices = computed<readonly string[]>(() => (server.value?.controls ?? []).map(({ name }) => name))

/** In the order of the label config, as the column `class` counts them. */
export const currentClasses = computed<readonly ShownClass[]>(() => server.value?.controls.find(({ name }) => name === control.value)?.classes ?? [])

export const classNames = computed<readonly string[]>(() => currentClasses.value.map(({ name }) => name))

export function nameOf(index: number): string {
  return index === NONE ? 'nothing named' : (currentClasses.value[index]?.name ?? `class ${index}`)
}

const UNNAMED = '#737373'

export function colourOf(index: number): string {
  return currentClasses.value[index]?.colour ?? UNNAMED
}
