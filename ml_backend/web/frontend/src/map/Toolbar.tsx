/** The tools of the map, always visible: what is hidden behind keys is not found. */

import { fitAll, fitCurrent, fitSelection, setMode, zoomBy } from '../actions'
import { current, frozen, mode, selection, type Mode } from '../state'
import { sizeScale } from './stage'

const TOOLS: readonly { readonly mode: Mode; readonly name: string; readonly shown: string; readonly icon: string }[] = [
  { mode: 'pan', name: 'Pan', shown: 'V', icon: 'M8 1.5v13M1.5 8h13M8 1.5 6 3.5M8 1.5l2 2M8 14.5l-2-2M8 14.5l2-2M1.5 8l2-2M1.5 8l2 2M14.5 8l-2-2M14.5 8l-2 2' },
  { mode: 'lasso', name: 'Lasso', shown: 'L', icon: 'M8 2.5c3.6 0 6.3 1.8 6.3 4.2S11.600 11 8 11 1.700 9.100 1.700 6.700 4.400 2.500 8 2.500M5 10.500c-1.500 0-2 1-1.300 1.800s2 .4 2-.6c0 1.500-.8 2.300-2.200 2.600' },
  { mode: 'rectangle', name: 'Rectangle', shown: 'R', icon: 'M2.500 3.500h11v9h-11z' },
  { mode: 'brush', name: 'Brush', shown: 'B', icon: 'M13.500 2.500 7.500 8.500M6.500 8.200c1.300.2 1.900 1 1.800 2.200-.1 2-1.800 3-5.800 3 1.300-.9 1-1.900 1.300-3.200.3-1.200 1.300-2.100 2.700-2' },
]

const VIEWS: readonly { readonly name: string; readonly shown: string; readonly icon: string; readonly run: () => void }[] = [
  { name: 'Closer', shown: '+', icon: 'M8 3v10M3 8h10', run: () => zoomBy(1.5) },
  { name: 'Further away', shown: '−', icon: 'M3 8h10', run: () => zoomBy(1 / 1.5) },
  { name: 'Show all', shown: 'Home', icon: 'M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10', run: fitAll },
]

export function Toolbar() {
  return (
    <div class="map-tools on-map" role="toolbar" aria-label="Tools of the map">
      <div class="map-tool-group">
        {TOOLS.map((tool) => (
          <button key={tool.mode} type="button" aria-pressed={mode.value === tool.mode} aria-label={tool.name} title={`${tool.name} (${tool.shown})`} onClick={() => setMode(tool.mode)}>
            <Icon path={tool.icon} />
          </button>
        ))}
      </div>
      <div class="map-tool-group">
        {VIEWS.map(({ name, shown, icon, run }) => <button key={name} type="button" aria-label={name} title={`${name} (${shown})`} onClick={run}><Icon path={icon} /></button>)}
        <button type="button" aria-label="Show the selection" title="Show the selection (F)" aria-disabled={selection.value.rows.length === 0} onClick={fitSelection}><Icon path="M5 2.500H2.500V5M11 2.500h2.500V5M13.500 11v2.500H11M5 13.500H2.500V11M8 5.500a2.500 2.500 0 1 0 .01 0" /></button>
        <button type="button" aria-label="Show the current item" title="Show the current item (G)" aria-disabled={current.value === null} onClick={fitCurrent}><Icon path="M8 1v3.500M8 11.500V15M1 8h3.500M11.500 8H15M8 4.500a3.500 3.500 0 1 0 .01 0" /></button>
      </div>
      <div class="map-tool-group">
        <button type="button" aria-pressed={frozen.value} aria-label="Keep the points where they are" title="Keep the points where they are (K)" onClick={() => (frozen.value = !frozen.value)}>
          <Icon path="M4 7.500V5.200C4 3 5.600 1.700 8 1.700s4 1.300 4 3.500v2.300M3 7.500h10v6.500H3z" />
        </button>
        <Sizes />
      </div>
    </div>
  )
}

function Sizes() {
  return (
    <label class="map-size" title="Size of the points">
      <span class="unseen">Size of the points</span>
      <input type="range" min="-1" max="1" step="0.05" value={Math.log2(sizeScale.value)} aria-valuetext={`${Math.round(100 * sizeScale.value)} %`} onInput={(event) => (sizeScale.value = 2 ** event.currentTarget.valueAsNumber)} />
    </label>
  )
}

function Icon({ path }: { readonly path: string }) {
  return <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d={path} /></svg>
}
