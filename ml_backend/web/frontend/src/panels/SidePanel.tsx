/** The tabs beside the map; under it, as a drawer, where the page is small. Empty until there is something to ask about. */

import { selection, server } from '../state'
import { ClassPanel } from './ClassPanel'
import { ColourMode } from './ColourMode'
import { ComponentsPanel } from './ComponentsPanel'
import { Legend } from './Legend'
import { Progress } from './Progress'
import { QueuePanel } from './QueuePanel'
import { QuickPalette } from './QuickPalette'
import { SelectionPanel } from './SelectionPanel'
import { TrainingPanel } from './TrainingPanel'
import { compact, drawerOpen, show, tab, TAB_PANEL, TABS, type Tab } from './ui'
import { briefly } from './logic/words'

const NAMES: Readonly<Record<Tab, string>> = {
  map: 'Colours', selection: 'Selection', queue: 'Queue', class: 'Class', training: 'Training', components: 'Components',
}

export function SidePanel() {
  const tabs: readonly Tab[] = compact.value ? ['map', ...TABS] : TABS
  const shown = !compact.value && tab.value === 'map' ? 'selection' : tab.value
  const open = !compact.value || drawerOpen.value
  return (
    <aside class={`right ${open ? 'open' : 'closed'}`} aria-label="Panels">
      {!open && selection.value.rows.length > 0 && <QuickPalette />}
      <div class="tabs" role="tablist" aria-label="Panels" onKeyDown={(event) => walk(event, tabs, shown)}>
        {tabs.map((name) => (
          <button key={name} type="button" role="tab" id={`tab-${name}`} aria-selected={open && shown === name} aria-controls={TAB_PANEL}
            tabIndex={shown === name ? 0 : -1} onClick={() => choose(name, shown)}>
            {NAMES[name]}
            {name === 'selection' && selection.value.rows.length > 0 && <> <span class="badge">{briefly(selection.value.rows.length)}</span></>}
          </button>
        ))}
      </div>
      <div key={shown} class="tabpanel" role="tabpanel" id={TAB_PANEL} aria-labelledby={`tab-${shown}`} hidden={!open}>
        {open && server.value !== null && <Content shown={shown} />}
      </div>
    </aside>
  )
}

function Content({ shown }: { readonly shown: Tab }) {
  switch (shown) {
    case 'map': return <><ColourMode /><Legend /><Progress /></>
    case 'selection': return <SelectionPanel />
    case 'queue': return <QueuePanel />
    case 'class': return <ClassPanel />
    case 'training': return <TrainingPanel />
    case 'components': return <ComponentsPanel />
  }
}

/** The open tab of a drawer closes it. */
function choose(name: Tab, shown: Tab): void {
  if (compact.value && drawerOpen.value && name === shown) drawerOpen.value = false
  else show(name)
}

function walk(event: KeyboardEvent, tabs: readonly Tab[], shown: Tab): void {
  const at = tabs.indexOf(shown)
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key]
  if (to === undefined) return
  event.preventDefault()
  event.stopPropagation()
  const next = tabs[(to + tabs.length) % tabs.length]
  if (next === undefined) return
  show(next)
  document.getElementById(`tab-${next}`)?.focus()
}
