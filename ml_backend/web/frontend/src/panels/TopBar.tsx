/** Above the map: what project this is, search, whether all is saved, who is writing. */

import { useEffect } from 'preact/hooks'
import { connection, control, person, server } from '../state'
import { controlChoices } from './classes'
import { count, plural } from './logic/words'
import { retry } from './historyActions'
import { chooseControl } from './labelActions'
import { Search } from './Search'
import { Person, SignIn } from './SignIn'
import { whenSignedIn } from './signInActions'
import { resume, stranded } from './stranded'
import { chooseTheme, compact, helpOpen, theme, type Theme } from './ui'

export function TopBar() {
  return (
    <header class="top">
      <h1 title={server.value?.title ?? ''}>{server.value?.title ?? 'Lantern'}</h1>
      <ControlChoice />
      <Search />
      <div class="spring" />
      <Saved />
      <Person />
      {!compact.value && <ThemeChoice />}
      <button type="button" class="button icon" aria-label="Help and keys" aria-expanded={helpOpen.value} onClick={() => (helpOpen.value = !helpOpen.value)}>?</button>
      <SignIn />
    </header>
  )
}

/** Only where there is something to choose. */
function ControlChoice() {
  const choices = controlChoices.value
  if (choices.length < 2) return null
  return (
    <select class="field" aria-label="What is labelled" value={control.value} onChange={(event) => chooseControl(event.currentTarget.value)}>
      {choices.map((name) => <option key={name} value={name}>{name.replace('/', ': ')}</option>)}
    </select>
  )
}

const RESUME_MILLISECONDS = 15_000

/** Whether every label has reached Label Studio, and whether the page hears of news. */
function Saved() {
  const outbox = server.value?.outbox, { own, others } = stranded()
  useEffect(() => {
    if (own === null) return
    void resume()
    const timer = window.setInterval(() => void resume(), RESUME_MILLISECONDS)
    return () => window.clearInterval(timer)
  }, [own !== null])
  if (outbox === undefined) return null // nothing came yet: the map's place says why
  if (connection.value === 'lost') return <span class="saved problem" role="status">No connection – trying again</span>
  if (connection.value === 'refused') return <span class="saved problem" role="status">This link was revoked</span>
  if (connection.value === 'unknown') return <span class="saved problem" role="status">This project is no longer connected</span>
  if (outbox.failed > 0) {
    return <button type="button" class="button danger saved" onClick={retry}>{`${plural(outbox.failed, 'label')} not saved – try again`}</button>
  }
  if (others.length > 0 && own === null) return <Stranded waiting={others.reduce((sum, one) => sum + one.waiting, 0)} names={others.map(({ name }) => name)} />
  if (outbox.waiting > 0) return <span class="saved" role="status">{compact.value ? `Saving ${count(outbox.waiting)} …` : `Saving ${plural(outbox.waiting, 'label')} …`}</span>
  return <span class="saved quietly">{compact.value ? 'Saved' : 'All labels saved'}</span>
}

/** Labels that wait for somebody's token: whoever it is signs in, and they go on. */
function Stranded({ waiting, names }: { readonly waiting: number; readonly names: readonly string[] }) {
  const who = names.join(', ')
  const said = `${plural(waiting, 'label')} ${waiting === 1 ? 'waits' : 'wait'} for ${who}`
  if (person.value !== null) return <span class="saved problem" role="status" title={`Lantern was restarted: they go on when ${who} signs in on the map`}>{said}</span>
  return (
    <button type="button" class="button danger saved" title={`${said} to sign in: Lantern was restarted, and a token is kept by nobody but its owner`}
      onClick={() => whenSignedIn(`send what waits for ${who}`, () => undefined)}>{`${said} – sign in`}</button>
  )
}

const THEMES: readonly { readonly theme: Theme; readonly name: string }[] = [
  { theme: 'system', name: 'System theme' }, { theme: 'light', name: 'Light' }, { theme: 'dark', name: 'Dark' },
]

export function ThemeChoice() {
  return (
    <select class="field theme" aria-label="Theme" value={theme.value} onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}>
      {THEMES.map((choice) => <option key={choice.theme} value={choice.theme}>{choice.name}</option>)}
    </select>
  )
}
