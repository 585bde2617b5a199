/** Above the map: what project this is, search, whether all is saved, who is writing. */

import { connection, control, server } from '../state'
import { controlChoices } from './classes'
import { count, plural } from './logic/words'
import { retry } from './historyActions'
import { Search } from './Search'
import { Person, SignIn } from './SignIn'
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
    <select class="field" aria-label="What is labelled" value={control.value} onChange={(event) => (control.value = event.currentTarget.value)}>
      {choices.map((name) => <option key={name} value={name}>{name.replace('/', ': ')}</option>)}
    </select>
  )
}

/** Whether every label has reached Label Studio, and whether the page hears of news. */
function Saved() {
  const outbox = server.value?.outbox
  if (connection.value === 'lost') return <span class="saved problem" role="status">No connection – trying again</span>
  if (outbox === undefined) return null
  if (outbox.failed > 0) {
    return <button type="button" class="button danger saved" onClick={retry}>{`${plural(outbox.failed, 'label')} not saved – try again`}</button>
  }
  if (outbox.waiting > 0) return <span class="saved" role="status">{compact.value ? `Saving ${count(outbox.waiting)} …` : `Saving ${plural(outbox.waiting, 'label')} …`}</span>
  return <span class="saved quietly">{compact.value ? 'Saved' : 'All labels saved'}</span>
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
