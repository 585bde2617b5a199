/** Keeps the state and the columns as the server has them. */

import { batch, effect } from '@preact/signals'
import { shownTask, shownValue } from './address'
import { api, ApiError, hasPersonToken, passes, setPersonToken } from './api'
import { checked, emptyColumns, FIRST_COLUMNS, OTHER_COLUMNS, type ColumnName, type Columns, type Values } from './columns'
import { listen } from './events'
import { columnsToAsk, rowsById, sameRows } from './freshness'
import { columns, connection, control, current, excluded, frozen, highlighted, hovered, person, pinned, selection, server, trouble } from './state'
import type { Connection, Outbox, Person, State, Training, Versions } from './state'

const TRIES = 8
const RETRY_MILLISECONDS = 400
/** What could not be had is asked for again after this long, after each further failure twice as long: no event tells of it once more. */
const FIRST_PAUSE_MILLISECONDS = 2000
const LONGEST_PAUSE_MILLISECONDS = 30_000
/** A burst of events asks for the state once. */
const REST_MILLISECONDS = 120

/** What an event `epoch` carries. */
export interface Epoch {
  readonly run: number
  readonly epoch: number
  readonly epochs: number
  readonly phase: string | null
  readonly losses: Readonly<Record<string, number>>
  readonly weighted: Readonly<Record<string, number>>
  readonly usage: number | null
  readonly accuracy: number | null
}

const epochListeners = new Set<(epoch: Epoch) => void>()

/** Told of every epoch that ends; returns the way to stop. */
export function onEpoch(listener: (epoch: Epoch) => void): () => void {
  epochListeners.add(listener)
  return () => epochListeners.delete(listener)
}

/** Loads everything and stays on the line; returns the way to stop. */
export function start(): () => void {
  void refreshState().catch(() => undefined)
  void restorePerson()
  const stopListening = listen({ onEvent: take, poll: refreshState, onConnection: connected })
  const stopControl = effect(() => {
    if (control.value !== '') askFor([...FIRST_COLUMNS, ...OTHER_COLUMNS])
  })
  const stopFrozen = effect(() => {
    if (!frozen.value && columns.peek().n > 0) askFor(['xy'])
  })
  return () => {
    stopListening()
    stopControl()
    stopFrozen()
  }
}

/** After a restart Lantern knows nobody's token: what waits to be sent goes on with the next request that carries it. */
function connected(how: Connection): void {
  if (connection.peek() === 'lost' && (how === 'live' || how === 'polling')) void restorePerson()
  connection.value = how
}

let stateTimer: number | null = null

function take(name: string, data: unknown): void {
  const known = server.peek()
  if (name === 'epoch') for (const listener of epochListeners) listener(data as Epoch)
  else if (known === null) retryState()
  else if (name === 'training') server.value = { ...known, training: data as Training }
  else if (name === 'outbox') server.value = { ...known, outbox: data as Outbox }
  else if (name === 'versions') moved(known, data as Versions)
}

/** The first state failed or is on its way: an event says that the server answers. */
function retryState(): void {
  if (asking === null) void refreshState().catch(() => undefined)
}

/** Columns at once; counts and progress, too, unless only places moved. */
function moved(known: State, versions: Versions): void {
  const asked = columnsToAsk(known.versions, versions)
  server.value = { ...known, versions }
  askFor(asked)
  if (asked.some((name) => name !== 'xy') || known.versions.layout !== versions.layout) stateTimer ??= window.setTimeout(() => void refreshState().catch(() => undefined), REST_MILLISECONDS)
}

let asking: Promise<void> | null = null
let statesFailed = 0
let askingNext: Promise<void> | null = null

/** One request at a time; who comes while it is on its way waits for the next one. Rejects only where the server cannot be reached. */
export function refreshState(): Promise<void> {
  if (stateTimer !== null) window.clearTimeout(stateTimer)
  stateTimer = null
  if (asking === null) return (asking = fetchState().finally(() => (asking = null)))
  askingNext ??= asking.catch(() => undefined).then(() => {
    askingNext = null
    return refreshState()
  })
  return askingNext
}

/** Until the page shows what the server has now, or cannot reach it. */
export async function caughtUp(): Promise<void> {
  await refreshState().catch(() => undefined)
  await pulling
}

async function fetchState(): Promise<void> {
  try {
    const now = await api.get<State>('state'), before = server.peek()
    batch(() => {
      server.value = now
      trouble.value = null
      statesFailed = 0
      if (!now.controls.some(({ name }) => name === control.peek())) control.value = now.controls[0]?.name ?? ''
    })
    if (now.versions.publication === 0) columns.value = emptyColumns(0)
    else askFor(before === null ? [...FIRST_COLUMNS, ...OTHER_COLUMNS] : columnsToAsk(before.versions, now.versions))
  } catch (error) {
    if (server.peek() === null) trouble.value = inWords(error)
    if (passes(error)) stateTimer ??= window.setTimeout(() => void refreshState().catch(() => undefined), pauseAfter(++statesFailed))
    if (error instanceof ApiError && error.status === 0) throw error
  }
}

const etags = new Map<ColumnName, string>()
let etagsOf = ''
const wanted = new Set<ColumnName>()
let pulling: Promise<void> | null = null
let pullsFailed = 0

/** What the page paints itself is not what the server sent last: the next reply must be whole, even where that did not change since. */
export function painted(names: readonly ColumnName[]): void {
  for (const name of names) etags.delete(name)
}

/** Puts columns on the list of what is fetched next; several calls make one round. */
export function askFor(names: readonly ColumnName[]): void {
  for (const name of names) wanted.add(name)
  if (pulling === null && wanted.size > 0) pulling = pullAll()
}

async function pullAll(): Promise<void> {
  let tries = TRIES, names: readonly ColumnName[] = []
  try {
    // What asks for the columns does so within an effect: the round begins after it.
    await Promise.resolve()
    while (wanted.size > 0 && (server.peek()?.versions.publication ?? 0) > 0) {
      const first = columns.peek().n === 0 && FIRST_COLUMNS.some((name) => wanted.has(name))
      names = [...wanted].filter((name) => (!first || FIRST_COLUMNS.includes(name)) && !(name === 'xy' && frozen.peek() && !first))
      for (const name of names) wanted.delete(name)
      if (names.length === 0) {
        wanted.delete('xy')
        continue
      }
      if (await pull(names)) tries = TRIES
      else {
        names = [...FIRST_COLUMNS, ...OTHER_COLUMNS]
        if (--tries === 0) throw new Error('The columns of the map do not fit together: reload the page.')
        for (const name of names) wanted.add(name)
        await new Promise((resolve) => window.setTimeout(resolve, RETRY_MILLISECONDS))
      }
    }
    trouble.value = null
    pullsFailed = 0
  } catch (error) {
    fail(error, names)
  } finally {
    pulling = null
  }
}

/** Without a map the page says why; with one it shows what it has, and the connection says the rest. */
function fail(error: unknown, missing: readonly ColumnName[]): void {
  if (columns.peek().n === 0) trouble.value = inWords(error)
  if (!passes(error)) return wanted.clear()
  for (const name of missing) wanted.add(name)
  window.setTimeout(() => askFor([]), pauseAfter(++pullsFailed))
}

function pauseAfter(failures: number): number {
  return Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** (failures - 1))
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Fetches columns and shows them together. False: they are of different moments, all must be asked for again. */
async function pull(names: readonly ColumnName[]): Promise<boolean> {
  const question = control.peek()
  if (question !== etagsOf) {
    etags.clear()
    etagsOf = question
  }
  const replies = await Promise.all(names.map((name) => api.column(name, question, etags.get(name) ?? null)))
  if (question !== control.peek()) return false
  const fresh: Partial<Record<ColumnName, Values>> = {}
  const found = new Map<ColumnName, string>()
  let n: number | null = null, fits = true
  replies.forEach((reply, i) => {
    const name = names[i]
    if (name === undefined || reply === null) return
    const column = checked(name, reply.bytes)
    fits &&= n === null || n === column.n
    n = column.n
    fresh[name] = column.values
    found.set(name, reply.etag)
  })
  const before = columns.peek()
  if (n === null) return true
  const whole = before.n === n ? before : emptyColumns(n)
  const complete = before.n === n || before.n === 0 || [...FIRST_COLUMNS, ...OTHER_COLUMNS].every((name) => fresh[name] !== undefined)
  if (!fits || !complete) {
    etags.clear()
    return false
  }
  for (const [name, etag] of found) etags.set(name, etag)
  show({ ...whole, ...(fresh as Partial<Columns>) })
  return true
}

/** Replaces the columns; where rows got other numbers, what points to rows follows the tasks. */
function show(after: Columns): void {
  const before = columns.peek()
  batch(() => {
    if (before.n > 0 && !sameRows(before.ids, after.ids)) follow(before, after)
    columns.value = after
  })
  if (before.n === 0) void locate(after)
}

function follow(before: Columns, after: Columns): void {
  const place = rowsById(before.ids, after.ids)
  const one = (row: number | null): number | null => (row === null ? null : place(row))
  const many = (rows: Iterable<number>): number[] => [...rows].map(place).filter((row) => row !== null)
  selection.value = { ...selection.peek(), rows: Uint32Array.from(many(selection.peek().rows)).sort() }
  excluded.value = new Set(many(excluded.peek()))
  highlighted.value = Uint32Array.from(many(highlighted.peek()))
  hovered.value = null
  pinned.value = one(pinned.peek())
  current.value = one(current.peek())
}

/** Finds the task that Label Studio shows beside the map. */
async function locate(shown: Columns): Promise<void> {
  try {
    if (shownTask !== null && shownTask !== '') {
      const row = shown.ids.indexOf(Number(shownTask))
      if (row >= 0) current.value = row
    } else if (shownValue !== null && shownValue !== '') {
      current.value = (await api.get<{ row: number | null }>(`tasks?value=${encodeURIComponent(shownValue)}`)).row
    }
  } catch {
    return // no ring: the field is not bound, or the task is not known yet
  }
}

/** A token that this tab still has signs the person in again. */
async function restorePerson(): Promise<void> {
  if (!hasPersonToken()) return
  try {
    person.value = (await api.post<{ person: Person }>('sign-in')).person
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) setPersonToken(null)
  }
}
