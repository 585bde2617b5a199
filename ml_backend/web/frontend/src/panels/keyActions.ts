/** The keys of the panels, in one table with what they do, and the one listener for these and the map's own. */

import { effect } from '@preact/signals'
import { leaveSelection, leaveTool } from '../actions'
import { held, plain, typed, withCtrl } from '../keyEvents'
import { MAP_KEYS, type MapKey } from '../keys'
import { hovered, pinned, selection } from '../state'
import { classNames } from './classes'
import { redoNewest, undoNewest } from './historyActions'
import { confirmWaiting, dropWaiting, giveAnswer, giveLabel, waiting } from './labelActions'
import { classOfKey } from './logic/typeahead'
import { acceptCurrent, rejectCurrent, walk } from './queueActions'
import { leaveSearch } from './searchActions'
import { closeSignIn, signInOpen } from './signInActions'
import { stop, train } from './trainingActions'
import { helpOpen, SEARCH_FIELD, show, showBeside, singleKeys, TYPE_AHEAD } from './ui'

const PANEL_KEYS: readonly MapKey[] = [
  { group: 'Label', shown: '1 … 9 0', what: 'Give one of the first ten classes', always: false, is: (event) => !event.shiftKey && classOf(event) !== null, run: digit },
  { group: 'Label', shown: '⇧1 … ⇧0', what: 'Give one of the next ten classes', always: false, is: (event) => event.shiftKey && classOf(event) !== null, run: digit },
  { group: 'Label', shown: 'Y', what: 'Type a class', always: false, is: plain('y'), run: () => typeAhead() },
  { group: 'Label', shown: 'Space', what: 'Skip', always: false, is: plain(' '), run: () => giveAnswer('skip') },
  { group: 'Label', shown: 'U', what: 'Unsure', always: false, is: plain('u'), run: () => giveAnswer('unsure') },
  { group: 'Label', shown: 'Ctrl+Z', what: 'Undo the newest act', always: true, is: withCtrl('z', false), run: undoNewest },
  { group: 'Label', shown: 'Ctrl+Shift+Z', what: 'Redo', always: true, is: withCtrl('z', true), run: redoNewest },
  { group: 'Suggestions', shown: 'N', what: 'Next suggestion, the map flies there', always: false, is: plain('n'), run: () => void walk(1) },
  { group: 'Suggestions', shown: 'P', what: 'Previous suggestion', always: false, is: plain('p'), run: () => void walk(-1) },
  { group: 'Suggestions', shown: 'Enter', what: 'Accept its prediction', always: false, is: plain('enter'), run: acceptCurrent },
  { group: 'Suggestions', shown: 'X', what: 'Reject its prediction and name the right class', always: false, is: plain('x'), run: rejectCurrent },
  { group: 'Training', shown: 'T', what: 'Train 1 epoch', always: false, is: plain('t'), run: () => train(1) },
  { group: 'Training', shown: '⇧T', what: 'Train 5 epochs', always: false, is: plain('t', true), run: () => train(5) },
  { group: 'Training', shown: 'S', what: 'Stop the training', always: false, is: plain('s'), run: stop },
  { group: 'Page', shown: '/', what: 'Search', always: false, is: typed('/'), run: () => document.getElementById(SEARCH_FIELD)?.focus() },
  { group: 'Page', shown: '?', what: 'This help', always: false, is: typed('?'), run: () => (helpOpen.value = !helpOpen.value) },
]

/** All keys, as Help lists them. */
export const ALL_KEYS: readonly MapKey[] = [...PANEL_KEYS, ...MAP_KEYS]

/** Listens on the whole page; returns the way to stop. */
export function listenForKeys(): () => void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || isTyping(event)) return
    const key = ALL_KEYS.find((candidate) => candidate.is(event))
    // A key that is held down must not answer one suggestion after the other, nor a question that nobody has read.
    if (event.repeat && !(key !== undefined && MAP_KEYS.includes(key))) return
    if (event.key === 'Escape' && (escape() || leaveSelection() || leaveSearch() || leaveTool())) return event.preventDefault()
    // Who types fast confirms before the question has the focus.
    if (event.key === 'Enter' && waiting.value !== null && !hasItsOwnUse(event)) {
      confirmWaiting()
      return event.preventDefault()
    }
    if (key === undefined || !(key.always || singleKeys.value) || hasItsOwnUse(event)) return
    event.preventDefault()
    key.run(event)
  }
  window.addEventListener('keydown', listen)
  return () => window.removeEventListener('keydown', listen)
}

/** The class that a key gives; null where it gives none, or moves something, as on a number pad without NumLock. */
function classOf(event: KeyboardEvent): number | null {
  const moves = event.code.startsWith('Numpad') && !/^\d$/.test(event.key)
  return held(event) || moves ? null : classOfKey(event.code, event.shiftKey, classNames.value)
}

function digit(event: KeyboardEvent): void {
  const index = classOf(event)
  if (index !== null) giveLabel(index)
}

function typeAhead(): void {
  show('selection')
  const field = document.getElementById(TYPE_AHEAD)
  // Where the panel has yet to be drawn the field is there a moment later.
  if (field !== null) field.focus()
  else window.setTimeout(() => document.getElementById(TYPE_AHEAD)?.focus())
}

/** Closes what lies on top; false when nothing does and the map may take the key. */
function escape(): boolean {
  if (helpOpen.value) helpOpen.value = false
  else if (signInOpen.value) closeSignIn()
  else if (waiting.value !== null) dropWaiting()
  else if (pinned.value !== null) pinned.value = hovered.value = null
  else return false
  return true
}

/** No key acts while someone types. */
function isTyping(event: KeyboardEvent): boolean {
  const element = event.target
  if (element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement) return true
  if (element instanceof HTMLInputElement) return !['checkbox', 'range', 'button', 'radio'].includes(element.type)
  return element instanceof HTMLElement && element.isContentEditable
}

/** Space and Enter on a button, a tick box or a link are that control's, and so are the keys that move a slider. */
function hasItsOwnUse(event: KeyboardEvent): boolean {
  if (event.target instanceof HTMLInputElement && event.target.type === 'range' && /^(?:Arrow|Page|Home|End)/.test(event.key)) return true
  if (event.key !== 'Enter' && event.key !== ' ') return false
  return event.target instanceof HTMLElement && event.target.closest('button, a, input, summary, [role="grid"]') !== null
}

let lookedAt = 0

// A new selection makes an open question about another one void, and is looked at. One whose rows only got other numbers
// makes the question void, too, but takes nobody away from what they type.
effect(() => {
  const { rows, number } = selection.value
  dropWaiting()
  if (rows.length > 0 && number !== lookedAt) showBeside('selection')
  lookedAt = number
})
