/** What the server tells by itself: Server-Sent Events read with fetch, because an EventSource cannot send the token. */

import { createParser } from 'eventsource-parser'
import { api, ApiError } from './api'
import type { Connection } from './state'

const FIRST_PAUSE_MILLISECONDS = 1000
const LONGEST_PAUSE_MILLISECONDS = 30_000
const POLL_MILLISECONDS = 3000
/** The server sends a comment every 15 s: a stream that says nothing for so long is dead. */
const SILENCE_MILLISECONDS = 45_000
/** A page that nobody sees gives its place to another one. */
const HIDDEN_MILLISECONDS = 20_000

export interface Listener {
  readonly onEvent: (name: string, data: unknown) => void
  /** Asked for every 3 s while no stream is to be had. Rejects when the server cannot be reached. */
  readonly poll: () => Promise<void>
  /** 'unknown' ends the listening until the page is seen anew. */
  readonly onConnection: (how: Connection) => void
}

/** Listens until the page goes; returns the way to stop. */
export function listen(listener: Listener): () => void {
  const line = new Line(listener)
  const visibility = (): void => line.seen(document.visibilityState === 'visible')
  const gone = (): void => line.seen(false, 0)
  const back = (): void => line.seen(true)
  document.addEventListener('visibilitychange', visibility)
  window.addEventListener('pagehide', gone)
  window.addEventListener('pageshow', back)
  line.seen(true)
  return () => {
    document.removeEventListener('visibilitychange', visibility)
    window.removeEventListener('pagehide', gone)
    window.removeEventListener('pageshow', back)
    line.seen(false, 0)
  }
}

class Line {
  private lastId: string | null = null
  private round: AbortController | null = null
  private hiding: number | null = null

  constructor(private readonly listener: Listener) {}

  /** Opens the stream for a page that is seen; closes it a while after it is not. */
  seen(seen: boolean, after = HIDDEN_MILLISECONDS): void {
    if (this.hiding !== null) window.clearTimeout(this.hiding)
    this.hiding = null
    if (!seen) {
      this.hiding = window.setTimeout(() => {
        this.round?.abort()
        this.round = null
      }, after)
    } else if (this.round === null) {
      this.round = new AbortController()
      void this.run(this.round.signal)
    }
  }

  private async run(over: AbortSignal): Promise<void> {
    let failures = 0
    while (!over.aborted) {
      let pause = 0
      try {
        await this.follow(over)
        failures = 0
      } catch (error) {
        if (over.aborted) return
        if (error instanceof ApiError && error.status === 404) return this.giveUp()
        if (error instanceof ApiError && error.status === 503) {
          failures = 0
          await this.pollFor(1000 * (error.retryAfter ?? 10), over)
        } else {
          this.listener.onConnection(isRefusal(error) ? 'refused' : 'lost')
          pause = Math.min(LONGEST_PAUSE_MILLISECONDS, FIRST_PAUSE_MILLISECONDS * 2 ** failures++) * (0.75 + Math.random() / 2)
        }
      }
      if (!over.aborted) await sleep(Math.max(pause, 200), over)
    }
  }

  /** Nothing here makes a project that is not there: only a person does, elsewhere, and then comes back. */
  private giveUp(): void {
    this.round = null
    this.listener.onConnection('unknown')
  }

  /** Reads one stream to its end. */
  private async follow(over: AbortSignal): Promise<void> {
    const mine = new AbortController()
    const end = (): void => mine.abort()
    over.addEventListener('abort', end)
    let silence = window.setTimeout(end, SILENCE_MILLISECONDS)
    try {
      const reply = await api.stream('events', this.lastId, mine.signal)
      if (reply.body === null) throw new ApiError('the events have no body', 0)
      this.listener.onConnection('live')
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          if (id !== undefined) this.lastId = id
          if (event !== undefined) this.listener.onEvent(event, JSON.parse(data))
        },
      })
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader()
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        window.clearTimeout(silence)
        silence = window.setTimeout(end, SILENCE_MILLISECONDS)
        parser.feed(chunk.value)
      }
    } finally {
      window.clearTimeout(silence)
      over.removeEventListener('abort', end)
    }
  }

  private async pollFor(milliseconds: number, over: AbortSignal): Promise<void> {
    const ends = Date.now() + milliseconds
    while (Date.now() < ends && !over.aborted) {
      try {
        await this.listener.poll()
        this.listener.onConnection('polling')
      } catch (error) {
        this.listener.onConnection(isRefusal(error) ? 'refused' : 'lost')
      }
      await sleep(POLL_MILLISECONDS, over)
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403)
}

function sleep(milliseconds: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, milliseconds)
    over.addEventListener('abort', () => {
      window.clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
