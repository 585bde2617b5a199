/** The page: the map with everything around it. */

import './styles/main.css'
import { useEffect } from 'preact/hooks'
import { onEpoch } from './live'
import { MapView } from './map/MapView'
import { Announcer } from './panels/Announcer'
import { ColourMode } from './panels/ColourMode'
import { Help } from './panels/Help'
import { HoverCard } from './panels/HoverCard'
import { listenForKeys } from './panels/keyActions'
import { watchKeys } from './panels/keyChanges'
import { Legend } from './panels/Legend'
import { watchSuggestion } from './panels/lostSuggestion'
import { Progress } from './panels/Progress'
import { epochEnded, watchTraining } from './panels/runsActions'
import { SidePanel } from './panels/SidePanel'
import { Toasts } from './panels/Toasts'
import { chooseThresholdOnce } from './panels/threshold'
import { TopBar } from './panels/TopBar'
import { applyTheme, compact } from './panels/ui'

export function App() {
  useEffect(() => {
    applyTheme()
    const stops = [listenForKeys(), chooseThresholdOnce(), watchTraining(), watchKeys(), watchSuggestion(), onEpoch(epochEnded)]
    return () => stops.forEach((stop) => stop())
  }, [])
  const drawer = compact.value
  return (
    <div class={`page ${drawer ? 'compact' : ''}`}>
      <TopBar />
      {!drawer && (
        <aside class="left" aria-label="Colours and progress">
          <div class="left-scroll">
            <ColourMode />
            <Legend />
          </div>
          <Progress />
        </aside>
      )}
      <main class="stage" aria-label="Map">
        <MapView />
        <HoverCard />
        <Toasts />
        <Announcer />
      </main>
      <SidePanel />
      <Help />
    </div>
  )
}
