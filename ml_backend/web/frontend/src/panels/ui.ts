/** What is open and where: state of the page that is nobody else's business. */

import { computed, signal } from '@preact/signals'
import { embedded } from '../address'

export const TABS = ['selection', 'queue', 'class', 'training', 'components'] as const
export type Tab = (typeof TABS)[number] | 'map'
export type Theme = 'system' | 'light' | 'dark'

/** Below this width the panels become a drawer; inside another page they do so earlier. */
const COMPACT_BELOW = 860
const COMPACT_EMBEDDED_BELOW = 1100

export const tab = signal<Tab>('selection')
/** Of the compact page; the wide one always shows its panels. */
export const drawerOpen = signal(false)
export const helpOpen = signal(false)
export const width = signal(window.innerWidth)
export const compact = computed(() => width.value < (embedded ? COMPACT_EMBEDDED_BELOW : COMPACT_BELOW))

window.addEventListener('resize', () => {
  width.value = window.innerWidth
})

/** Shows a tab where it does not cover the map; a closed drawer stays closed. */
export function showBeside(next: Tab): void {
  tab.value = next
}

/** Shows a tab, and opens the drawer for it. */
export function show(next: Tab): void {
  tab.value = next
  drawerOpen.value = true
}

const THEME_KEY = 'lantern.theme'

export const theme = signal<Theme>(readTheme())

/** Chosen by hand, or as the system has it. */
export function chooseTheme(next: Theme): void {
  theme.value = next
  remember(THEME_KEY, next)
  applyTheme()
}

export function applyTheme(): void {
  const root = document.documentElement
  if (theme.value === 'system') root.removeAttribute('data-theme')
  else root.dataset['theme'] = theme.value
}

function readTheme(): Theme {
  const kept = recall(THEME_KEY)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

const KEYS_KEY = 'lantern.single-keys'

/** Whether single keys act (WCAG 2.1.4: they can be switched off). */
export const singleKeys = signal(recall(KEYS_KEY) !== 'off')

export function switchSingleKeys(on: boolean): void {
  singleKeys.value = on
  remember(KEYS_KEY, on ? 'on' : 'off')
}

/** localStorage is absent in some sandboxes; a preference is then kept until the page goes. */
export function remember(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value)
  } catch {
    return
  }
}

export function recall(key: string): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    return null
  }
}

/** Spoken by screen readers, politely. */
export const announcement = signal('')

export function announce(text: string): void {
  // The same text twice in a row would not be spoken again.
  announcement.value = announcement.peek() === text ? `${text}\u00a0` : text
}

export const TAB_PANEL = 'tabpanel'
/** Ids of the fields that a key leads to. */
export const TYPE_AHEAD = 'type-a-class'
export const SEARCH_FIELD = 'search'
