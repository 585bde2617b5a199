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

/** The link key, taken off the address so that it is not copied with it; the tab remembers it for a reload. */
export const linkKey = takeKey()

function takeKey(): string | null {
  const key = new URLSearchParams(window.location.hash.slice(1)).get('key')
  if (key === null) return recall()
  try {
    window.sessionStorage.setItem(KEY_PLACE, key)
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search)
  } catch {
    return key // without storage the address must keep it
  }
  return key
}

function recall(): string | null {
  try {
    return window.sessionStorage.getItem(KEY_PLACE)
  } catch {
    return null
  }
}

/** A value of the query; '' and null alike when there is none. */
export function fromAddress(name: string): string | null {
  return query.get(name)
}

/** Writes values into the query without a new entry in the history; null takes one out. */
export function toAddress(values: Readonly<Record<string, string | null>>): void {
  const next = new URLSearchParams(window.location.search)
  for (const [name, value] of Object.entries(values)) {
    if (value === null) next.delete(name)
    else next.set(name, value)
  }
  const text = next.toString().replaceAll('%2C', ',')
  const address = window.location.pathname + (text === '' ? '' : `?${text}`) + window.location.hash
  if (address !== window.location.pathname + window.location.search + window.location.hash) window.history.replaceState(window.history.state, '', address)
}
