/** Pictures that need the session's token: fetched, then shown from memory. */

import { useEffect, useState } from 'preact/hooks'
import { ApiError, passes } from '../api'
import { server } from '../state'
import { picture } from './server'

const MOST_KEPT = 400
const FIRST_PAUSE_SECONDS = 1
const LONGEST_PAUSE_SECONDS = 30
const addresses = new Map<string, Promise<string>>()

interface Props {
  /** Below the project's interface. */
  readonly path: string
  /** Of what the picture is: with another one the same path has another picture. */
  readonly version: number | string | undefined
  /** '' where the text beside it says the same. */
  readonly alt: string
  readonly class?: string
}

/** One that cannot be had now, as while its medium is being fetched, is asked for again. */
export function Picture({ path, version, alt, class: name }: Props) {
  const [address, setAddress] = useState<string | null>(null)
  useEffect(() => {
    let stale = false, timer: number | null = null, pause = FIRST_PAUSE_SECONDS
    const ask = (): void => void addressOf(path, version).then(
      (found) => { if (!stale) setAddress(found) },
      (error: unknown) => {
        if (stale || !passes(error)) return
        timer = window.setTimeout(ask, 1000 * Math.max(pause, (error instanceof ApiError ? error.retryAfter : null) ?? 0))
        pause = Math.min(LONGEST_PAUSE_SECONDS, 2 * pause)
      },
    )
    setAddress(null)
    ask()
    return () => {
      stale = true
      if (timer !== null) window.clearTimeout(timer)
    }
  }, [path, version])
  if (address === null) return <span class={`picture waiting ${name ?? ''}`} role="presentation" />
  return <img class={`picture ${name ?? ''}`} src={address} alt={alt} draggable={false} />
}

export function Thumbnail({ row, alt = '' }: { readonly row: number; readonly alt?: string }) {
  return <Picture path={`items/${row}/thumbnail`} version={server.value?.versions.rows} alt={alt} class="thumbnail" />
}

function addressOf(path: string, version: Props['version']): Promise<string> {
  const key = `${version} ${path}`, known = addresses.get(key)
  if (known !== undefined) return known
  const address = picture(path)
  addresses.set(key, address)
  address.catch(() => addresses.delete(key))
  if (addresses.size > MOST_KEPT) {
    const [oldest, itsAddress] = addresses.entries().next().value ?? []
    if (oldest !== undefined) addresses.delete(oldest)
    void itsAddress?.then((url) => URL.revokeObjectURL(url), () => undefined)
  }
  return address
}
