/** What happened, spoken; and the map in words, to be read at any time. */

import { useEffect, useState } from 'preact/hooks'
import { columns, oodThreshold, selection } from '../state'
import { currentClasses } from './classes'
import { mapInWords } from './logic/mapSummary'
import { announcement } from './ui'

const REST_MILLISECONDS = 600

export function Announcer() {
  return (
    <>
      <div class="unseen" aria-live="polite" role="status">{announcement.value}</div>
      <MapInWords />
    </>
  )
}

/** Recomputed once things rest: it counts all items. */
function MapInWords() {
  const [words, setWords] = useState('')
  const shown = columns.value, names = currentClasses.value, selected = selection.value.rows.length, threshold = oodThreshold.value
  useEffect(() => {
    const timer = window.setTimeout(() => setWords(mapInWords(shown, names.map(({ shown_as }) => shown_as), selected, threshold)), REST_MILLISECONDS)
    return () => window.clearTimeout(timer)
  }, [shown, names, selected, threshold])
  return <p class="unseen" id="map-in-words">{words}</p>
}
