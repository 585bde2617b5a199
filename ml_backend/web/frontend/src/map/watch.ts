/** Brings what the signals say onto the stage: places, looks, marks, names. */

import { computed, effect, untracked } from '@preact/signals'
import { colourMode, columns, control, current, filters, hidden, highlighted, hovered, oodThreshold, pinned, selection, server } from '../state'
import { drawing, sizeScale, type Stage } from './stage'
import type { Named } from './names'
import { dark } from './theme'

const classes = computed(() => server.value?.controls.find(({ name }) => name === control.value)?.classes ?? [])
/** As one text, so that new counts of a class are no new colours. */
const colours = computed(() => classes.value.map(({ colour }) => colour).join(' '))
const names = computed(() => JSON.stringify(classes.value.map(({ shown_as, colour }) => ({ text: shown_as, colour }))))

/** Returns the way to stop. */
export function watch(stage: Stage): () => void {
  const places = computed(() => columns.value.xy)
  const looks = computed(() => columns.value)
  const stops = [
    // Before the places: the first view leaves out what is deleted, without a flight.
    effect(() => {
      const hides = hidden.value, shown = looks.value
      stage.setHidden(shown, hides)
    }),
    effect(() => stage.setPlaces(places.value)),
    atNextFrame(() => {
      const input = {
        columns: looks.value,
        mode: colourMode.value,
        classColours: colours.value === '' ? [] : colours.value.split(' '),
        hidden: hidden.value,
        filters: filters.value,
        selected: selection.value.rows,
        highlighted: highlighted.value,
        dark: dark.value,
      }
      return () => stage.setStyle(input)
    }),
    atNextFrame(() => {
      const shown = looks.value, threshold = oodThreshold.value
      void hidden.value
      return () => stage.setMarks(shown, threshold)
    }),
    atNextFrame(() => {
      const shown = looks.value, all = JSON.parse(names.value) as Named[], hides = hidden.value, named = colourMode.value === 'label'
      return () => stage.setNames(shown, named ? all : [], hides)
    }),
    effect(() => {
      void dark.value
      untracked(() => stage.setTheme())
    }),
    effect(() => {
      void [hovered.value, pinned.value, current.value, drawing.value]
      stage.retouch()
    }),
    effect(() => {
      if (current.value !== null) stage.beginPulse()
    }),
    effect(() => {
      void sizeScale.value
      stage.redraw()
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** Reads signals at once and acts once before the next frame, however often they change until then. */
function atNextFrame(read: () => () => void): () => void {
  let wanted: (() => void) | null = null, request: number | null = null
  const stop = effect(() => {
    wanted = read()
    request ??= window.requestAnimationFrame(() => {
      request = null
      wanted?.()
    })
  })
  return () => {
    stop()
    if (request !== null) window.cancelAnimationFrame(request)
  }
}
