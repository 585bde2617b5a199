/** Client of docs/map-api.md: sessions, requests, columns with their validators. */

import { apiBase, linkKey, project } from './address'
import { person } from './state'

/** The server's own words of what was wrong. status: of HTTP; 0 = no reply. */
export class ApiError extends Error {
  constructor(message: string, readonly status: number, readonly retryAfter: number | null = null) {
    super(message)
  }
}

/** Whether the same request may do better later: nobody answered, the answer was cut, or the server or a proxy is in trouble. */
export function passes(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500
}

/** Renewed this long before the token ends. */
const RENEW_BEFORE_MILLISECONDS = 60_000
const PERSON_PLACE = `lantern.token.${project}`

interface Session {
  readonly token: string
  readonly ends: number
}

let session: Promise<Session> | null = null
/** The last token that the server did not take although its time was not over. */
let refusedToken: string | null = null
let personToken = recallPersonToken()

/** The person's own Label Studio token: sent with every write, kept for this tab only. */
export function setPersonToken(token: string | null): void {
  personToken = token
  try {
    if (token === null) window.sessionStorage.removeItem(PERSON_PLACE)
    else window.sessionStorage.setItem(PERSON_PLACE, token)
  } catch {
    return // a sandbox without storage: it is asked for again after a reload
  }
}

export function hasPersonToken(): boolean {
  return personToken !== null
}

export const api = {
  get: async <T>(path: string): Promise<T> => (await (await request('GET', path)).json()) as T,
  post: async <T>(path: string, body: unknown = {}): Promise<T> => (await (await request('POST', path, body)).json()) as T,
  blob: async (path: string): Promise<Blob> => (await request('GET', path)).blob(),
  /** An open stream of Server-Sent Events. */
  stream: (path: string, lastId: string | null, signal: AbortSignal): Promise<Response> =>
    request('GET', path, undefined, { Accept: 'text/event-stream', ...(lastId === null ? {} : { 'Last-Event-ID': lastId }) }, { signal }),
  column,
}

interface KeptColumn {
  readonly etag: string
  readonly bytes: ArrayBuffer
}

/** The bytes of a column, or null when it is the one that `etag` names. */
async function column(name: string, control: string, etag: string | null): Promise<KeptColumn | null> {
  const headers: Record<string, string> = etag === null ? {} : { 'If-None-Match': etag }
  // The first time the browser's cache may have it from before: this page is made anew for every task in Label Studio.
  const reply = await request('GET', `columns/${name}?control=${encodeURIComponent(control)}`, undefined, headers, { cache: etag === null ? 'no-cache' : 'no-store' })
  if (reply.status === 304) return null
  const bytes = await reply.arrayBuffer()
  const found = reply.headers.get('ETag') ?? ''
  return { etag: found, bytes }
}

async function request(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, more: RequestInit = {}): Promise<Response> {
  let token = '', shown: string | null = null
  const send = async (): Promise<Response> => {
    token = (await currentSession()).token
    shown = personToken
    return exchange(path, {
      method,
      headers: {
        ...headers,
        Authorization: `Bearer ${token}`,
        ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
        ...(method === 'POST' && personToken !== null ? { 'X-Label-Studio-Token': personToken } : {}),
      },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
      cache: 'no-store',
      ...more,
    })
  }
  let reply = await send()
  if (reply.status === 401 && path !== 'sign-in' && isAboutTheSession(reply)) {
    // The token ended early: the clock was set, or the server has a new key.
    refusedToken = token
    reply = await send()
  }
  if (reply.status === 401 && !isAboutTheSession(reply) && shown === personToken) {
    // Label Studio no longer takes it: whoever tries again is asked for a new one.
    setPersonToken(null)
    person.value = null
  }
  if (!reply.ok && reply.status !== 304) throw await failure(reply)
  return reply
}

/** A 401 with a challenge is about the page's token; one without is about the person's. */
function isAboutTheSession(reply: Response): boolean {
  return reply.headers.has('WWW-Authenticate')
}

function currentSession(): Promise<Session> {
  const wanted = (session ?? open())
    .then((found) => (found.token !== refusedToken && found.ends - RENEW_BEFORE_MILLISECONDS > Date.now() ? found : open()))
    .catch((error: unknown) => {
      if (session === wanted) session = null
      throw error
    })
  session = wanted
  return wanted
}

async function open(): Promise<Session> {
  const reply = await exchange('session', {
    method: 'POST',
    cache: 'no-store',
    ...(linkKey === null ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key: linkKey }) }),
  })
  if (!reply.ok) throw await failure(reply)
  const { token, expires_in: seconds } = (await reply.json()) as { token: string; expires_in: number }
  return { token, ends: Date.now() + 1000 * seconds }
}

async function exchange(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${apiBase}/${path}`, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError('Lantern cannot be reached: is it running?', 0)
  }
}

async function failure(reply: Response): Promise<ApiError> {
  const said: unknown = await reply.json().catch(() => null)
  const message = typeof said === 'object' && said !== null && 'error' in said && typeof said.error === 'string' ? said.error : `Lantern answered ${reply.status}`
  const seconds = Number(reply.headers.get('Retry-After'))
  return new ApiError(message, reply.status, Number.isFinite(seconds) && seconds > 0 ? seconds : null)
}

function recallPersonToken(): string | null {
  try {
    return window.sessionStorage.getItem(PERSON_PLACE)
  } catch {
    return null
  }
}
