/** The classes of the control that is worked on. A class has a value, by which it is labelled, and the name that it is shown as. */

import { computed } from '@preact/signals'
import { control, server, type ShownClass } from '../state'
import { NONE } from './logic/selectionSummary'

/** What one can work on; a control that takes several answers has one entry a choice. */
export const controlChoices = computed<readonly string[]>(() => (server.value?.controls ?? []).map(({ name }) => name))

/** In the order of the label config, as the column `class` counts them. */
export const currentClasses = computed<readonly ShownClass[]>(() => server.value?.controls.find(({ name }) => name === control.value)?.classes ?? [])

/** Values. */
export const classNames = computed<readonly string[]>(() => currentClasses.value.map(({ name }) => name))

/** What each class is found by when it is typed: the name that people see, and its value. */
export const typedNames = computed<readonly (readonly string[])[]>(() => currentClasses.value.map(({ name, shown_as }) => [shown_as, name]))

export function nameOf(index: number): string {
  return index === NONE ? 'nothing named' : (currentClasses.value[index]?.shown_as ?? `class ${index}`)
}

/** The value of a class that is shown under another name; null where they are the same. */
export function valueBeside(index: number): string | null {
  const shown = currentClasses.value[index]
  return shown === undefined || shown.name === shown.shown_as ? null : shown.name
}

/** The name, and the value where that is another: for tooltips of what gives a label. */
export function fullNameOf(index: number): string {
  const value = valueBeside(index)
  return value === null ? nameOf(index) : `${nameOf(index)} (“${value}” in Label Studio)`
}

/** What a value is shown as. of: its control; of the one that is worked on without. */
export function shownAs(value: string, of: string | null = null): string {
  const classes = of === null ? currentClasses.value : server.value?.controls.find(({ name }) => name === of)?.classes
  return classes?.find(({ name }) => name === value)?.shown_as ?? value
}

const UNNAMED = '#737373'

export function colourOf(index: number): string {
  return currentClasses.value[index]?.colour ?? UNNAMED
}
