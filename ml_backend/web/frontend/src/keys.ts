/** The map's own keys, in one table with what they do. */

import { cycleColours, fitAll, fitCurrent, fitSelection, panBy, setMode, zoomBy } from './actions'
import { held, plain, typed } from './keyEvents'
import { growBrush } from './map/gestures'
import { frozen } from './state'

export interface MapKey {
  readonly group: string
  /** As Help shows it: keys with a space between. */
  readonly shown: string
  readonly what: string
  /** Whether it also acts while single keys are switched off. */
  readonly always: boolean
  readonly is: (event: KeyboardEvent) => boolean
  readonly run: (event: KeyboardEvent) => void
}

const GROUP = 'Map'

const withShift = (...keys: readonly string[]) => (event: KeyboardEvent): boolean => !held(event) && event.shiftKey && keys.includes(event.key)
const key = (shown: string, what: string, is: MapKey['is'], run: MapKey['run'], always = false): MapKey => ({ group: GROUP, shown, what, always, is, run })

export const MAP_KEYS: readonly MapKey[] = [
  key('L', 'Lasso: draw around points', plain('l'), () => setMode('lasso')),
  key('R', 'Rectangle', plain('r'), () => setMode('rectangle')),
  key('B', 'Brush; [ and ] change its size', plain('b'), () => setMode('brush')),
  key('V', 'Pan: drag moves the map, ⇧ and drag draws', plain('v'), () => setMode('pan')),
  key('[', 'Smaller brush', typed('['), () => growBrush(1 / 1.25)),
  key(']', 'Larger brush', typed(']'), () => growBrush(1.25)),
  key('⇧ drag', 'Add to the selection', () => false, () => undefined),
  key('Alt drag', 'Take out of the selection', () => false, () => undefined),
  key('⇧ Alt drag', 'Keep only what is selected and inside', () => false, () => undefined),
  key('Esc', 'Leave the card, the selection, what was found, the tool: one after the other', () => false, () => undefined, true),
  key('C', 'Next way to colour', plain('c'), cycleColours),
  key('+ −', 'Closer, further away', typed('+', '=', '-', '_'), (event) => zoomBy(event.key === '+' || event.key === '=' ? 1.5 : 1 / 1.5)),
  key('⇧← ⇧→ ⇧↑ ⇧↓', 'Move the map', withShift(...Object.keys({ ArrowLeft: 0, ArrowRight: 0, ArrowUp: 0, ArrowDown: 0 })), (event) => panBy(...STEPS[event.key] ?? [0, 0])),
  key('Home', 'Show all', plain('home'), fitAll),
  key('F', 'Show the selection', plain('f'), fitSelection),
  key('G', 'Show the current item: the suggestion, or the task in Label Studio', plain('g'), fitCurrent),
  key('K', 'Keep the points where they are, or let them move again', plain('k'), () => (frozen.value = !frozen.value)),
  key('← → ↑ ↓', 'On the map: hop to the next point and hear it; Enter pins it', () => false, () => undefined),
]

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-0.2, 0], ArrowRight: [0.2, 0], ArrowUp: [0, -0.2], ArrowDown: [0, 0.2],
}

