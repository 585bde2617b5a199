/** What the page's own address says: which project, with which link key, and what is to be shown first. */

const query = new URLSearchParams(window.location.search)

/** `/…/map/<project>` -> its parts; the page is served below any path that a proxy puts before it. */
const place = /^(.*\/map)\/([^/]+)\/?$/.exec(window.location.pathname)

export const project = place?.[2] ?? ''
/** Where the interface of the project is. */
export const apiBase = `${place?.[1] ?? '/map'}/${project}/api`

/** The task that Label Studio shows beside the map: its id, or the value of the field that the map is bound to. */
export const shownTask = query.get('task')
export const shownValue = query.get('value')
/** `cpu` or `gl` overrides the choice of the renderer. */
export const wantedRenderer = query.get('renderer')

const KEY_PLACE = `lantern.key.${project}`
const SHOWN_PLACE = `lantern.shown.${project}`

/** Inside another page, Label Studio's: it builds the map anew for each task, always at the same address. */
export const embedded = window.top !== window
/** What the map beside the last task showed. */
const shownBefore = new URLSearchParams(embedded ? recall(SHOWN_PLACE) ?? '' : '')

/** The link key, taken off the address so that it is not copied with it; the tab remembers it for a reload. */
export const linkKey = takeKey()

function takeKey(): string | null {
  const key = new URLSearchParams(window.location.hash.slice(1)).get('key')
  if (key === null) return recall(KEY_PLACE)
  try {
    window.sessionStorage.setItem(KEY_PLACE, key)
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search)
  } catch {
    return key // without storage the address must keep it
  }
  return key
}

function recall(place: string): string | null {
  try {
    return window.sessionStorage.getItem(place)
  } catch {
    return null
  }
}

/** A value of the query, or of what was shown beside the last task; '' and null alike when there is none. */
export function fromAddress(name: string): string | null {
  return query.get(name) ?? shownBefore.get(name)
}

/** Writes values into the query without a new entry in the history; null takes one out. */
export function toAddress(values: Readonly<Record<string, string | null>>): void {
  if (embedded) remember(values)
  const next = new URLSearchParams(window.location.search)
  for (const [name, value] of Object.entries(values)) {
    if (value === null) next.delete(name)
    else next.set(name, value)
  }
  const text = next.toString().replaceAll('%2C', ',')
  const address = window.location.pathname + (text === '' ? '' : `?${text}`) + window.location.hash
  if (address !== window.location.pathname + window.location.search + window.location.hash) window.history.replaceState(window.history.state, '', address)
}

function remember(values: Readonly<Record<string, string | null>>): void {
  const shown = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null)
  try {
    window.sessionStorage.setItem(SHOWN_PLACE, new URLSearchParams(shown).toString())
  } catch {
    // without storage the map beside the next task begins as usual
  }
}
