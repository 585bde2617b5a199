/** Pictures that need the session's token: fetched, then shown from memory. */

import { useEffect, useState } from 'preact/hooks'
import { picture } from './server'

const MOST_KEPT = 400
const addresses = new Map<string, Promise<string>>()

/** path: below the project's interface. alt: '' where the text beside it says the same. */
export function Picture({ path, alt, class: name }: { readonly path: string; readonly alt: string; readonly class?: string }) {
  const [address, setAddress] = useState<string | null>(null)
  useEffect(() => {
    let stale = false
    setAddress(null)
    addressOf(path).then((found) => { if (!stale) setAddress(found) }, () => { addresses.delete(path) })
    return () => { stale = true }
  }, [path])
  if (address === null) return <span class={`picture waiting ${name ?? ''}`} role="presentation" />
  return <img class={`picture ${name ?? ''}`} src={address} alt={alt} draggable={false} />
}

export function Thumbnail({ row, alt = '' }: { readonly row: number; readonly alt?: string }) {
  return <Picture path={`items/${row}/thumbnail`} alt={alt} class="thumbnail" />
}

function addressOf(path: string): Promise<string> {
  const known = addresses.get(path)
  if (known !== undefined) return known
  const address = picture(path)
  addresses.set(path, address)
  if (addresses.size > MOST_KEPT) {
    const [oldest, itsAddress] = addresses.entries().next().value ?? []
    if (oldest !== undefined) addresses.delete(oldest)
    void itsAddress?.then((url) => URL.revokeObjectURL(url))
  }
  return address
}
