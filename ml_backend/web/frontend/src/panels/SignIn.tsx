/** Who is writing: the person's own Label Studio token, typed once per browser tab. */

import { useState } from 'preact/hooks'
import { person, server } from '../state'
import { OutsideLink } from './OutsideLink'
import { signIn, signOut } from './server'
import { afterSignIn, closeSignIn, signInOpen, wanted } from './signInActions'
import { announce, compact } from './ui'
import { useBorrowedFocus } from './useBorrowedFocus'

/** In the top bar: the person's name, or the way in. */
export function Person() {
  const signedIn = person.value
  if (signedIn !== null) {
    return (
      <div class="row">
        {!compact.value && <span class="ellipsis person" title={signedIn.email}>{signedIn.name || signedIn.email}</span>}
        <button type="button" class="button quiet" title={signedIn.name || signedIn.email} onClick={signOut}>Sign out</button>
      </div>
    )
  }
  return (
    <button type="button" class="button" aria-expanded={signInOpen.value} onClick={() => (signInOpen.value ? closeSignIn() : (signInOpen.value = true))}>
      {compact.value ? 'Sign in' : 'Sign in to label'}
    </button>
  )
}

export function SignIn() {
  return signInOpen.value ? <Form /> : null
}

function Form() {
  const [token, setToken] = useState('')
  const [trouble, setTrouble] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const field = useBorrowedFocus<HTMLInputElement>()
  const submit = async (): Promise<void> => {
    if (token.trim() === '' || busy) return
    setBusy(true)
    try {
      const who = await signIn(token.trim())
      announce(`Signed in as ${who.name || who.email}.`)
      afterSignIn()
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') closeSignIn()
    event.stopPropagation()
  }
  return (
    <section class="popover sign-in" aria-labelledby="sign-in-title" onKeyDown={keys}>
      <h2 id="sign-in-title">{wanted.value === null ? 'Sign in to label and train' : `Sign in to ${wanted.value.what}`}</h2>
      <p class="quietly">Labels are saved in Label Studio in your name, so Lantern needs your own access token. It stays in this browser tab until you close it or sign out.</p>
      <label class="section">
        <span>Your Label Studio access token</span>
        <input ref={field} class="field" type="password" autocomplete="off" spellcheck={false} value={token}
          aria-invalid={trouble !== null} aria-describedby="sign-in-trouble" onInput={(event) => setToken(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === 'Enter') void submit() }} />
      </label>
      <p id="sign-in-trouble" class="trouble" role="alert">{trouble}</p>
      <div class="row">
        <button type="button" class="button primary" disabled={token.trim() === '' || busy} onClick={() => void submit()}>{busy ? 'Checking …' : 'Sign in'}</button>
        <button type="button" class="button" onClick={closeSignIn}>Cancel</button>
      </div>
      <WhereToFind />
    </section>
  )
}

function WhereToFind() {
  const home = server.value?.label_studio?.url ?? null
  return (
    <div class="note small">
      In Label Studio, click your picture (top right), then <b>Account &amp; Settings</b>, then <b>Personal Access Token</b> or <b>Legacy Token</b>.
      {home !== null && <> <OutsideLink address={`${home.replace(/\/$/, '')}/user/account`} of="your account">Open your account in Label Studio</OutsideLink></>}
    </div>
  )
}
