/** The map's element: both canvases, the toolbar, and the words that screen readers get. */

import '../styles/stage.css'
import { useEffect, useRef } from 'preact/hooks'
import { shownItems } from '../absent'
import { columns, connection, mode, server, trouble } from '../state'
import { setStage } from '.'
import { readAddress, viewOfAddress, writeAddress } from './deepLink'
import { onMapKey, reading, summary } from './mapKeys'
import { notice } from './notice'
import { listenToPointers } from './pointer'
import { exposeProbe } from './probe'
import { drawing, Stage, view } from './stage'
import { dark, watchTheme } from './theme'
import { Toolbar } from './Toolbar'
import { UnknownProject } from './UnknownProject'
import { watch } from './watch'

readAddress()

export function MapView() {
  const host = useRef<HTMLDivElement>(null), stage = useRef<Stage | null>(null)
  useEffect(() => {
    if (host.current === null) return undefined
    const made = new Stage(host.current)
    stage.current = made
    setStage(made)
    const { width, height } = host.current.getBoundingClientRect()
    view.value = viewOfAddress({ ...view.peek(), width, height }) ?? { ...view.peek(), width, height }
    const stops = [watchTheme(), watch(made), listenToPointers(host.current, made), exposeProbe(made), writeAddress()]
    // Label Studio makes the page anew for every task, and a browser has few places for graphics.
    const leave = (event: PageTransitionEvent): void => {
      if (!event.persisted) made.end()
    }
    window.addEventListener('pagehide', leave)
    void made.begin()
    return () => {
      window.removeEventListener('pagehide', leave)
      for (const stop of stops) stop()
      made.end()
      setStage(null)
    }
  }, [])
  return (
    <div class={`map-area ${dark.value ? 'on-dark' : ''}`}>
      <div ref={host} class={`map-host ${drawing.value === null ? mode.value : 'drawing'}`} role="application" aria-roledescription="map" aria-label={summary()} aria-describedby="map-in-words" tabIndex={0}
        onKeyDown={(event) => stage.current !== null && onMapKey(event, stage.current)} />
      <Toolbar />
      <p class="map-notice" role="status">{notice.value}</p>
      <p class="unseen" aria-live="polite">{reading.value}</p>
      <Empty />
    </div>
  )
}

/** Why there are no points. */
function Empty() {
  const state = server.value
  if (state === null && connection.value === 'unknown') return <UnknownProject />
  if (trouble.value !== null) return <div class="map-empty" role="alert"><p>{trouble.value}</p></div>
  if (state === null) return <div class="map-empty"><p>Loading the map …</p></div>
  if (state.versions.publication === 0) return <div class="map-empty"><p>Lantern is reading the tasks of this project. The map appears as soon as it has learned from them; that takes a minute or two.</p></div>
  if (columns.value.n === 0) return <div class="map-empty"><p>Loading the points …</p></div>
  if (shownItems.value === 0) return <div class="map-empty"><p>No task of this project is left in Label Studio. New ones appear here once they are imported and learned from.</p></div>
  return null
}
