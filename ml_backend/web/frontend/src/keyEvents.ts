/** What key an event is about, on keyboards of any country. */

export type Test = (event: KeyboardEvent) => boolean

/** Shift is none of these. AltGr, which types brackets on many keyboards, is not seen as Alt everywhere. */
export function held(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey || event.getModifierState('AltGraph')
}

/** In lower case. Where letters are not Latin, the one that stands in that place on a Latin keyboard. */
function nameOf({ key, code }: KeyboardEvent): string {
  const place = /^Key([A-Z])$/.exec(code)?.[1]
  return (place !== undefined && key.length === 1 && key > '\x7f' ? place : key).toLowerCase()
}

/** A key by itself, or with Shift alone. */
export const plain = (key: string, shift = false): Test => (event) => !held(event) && event.shiftKey === shift && nameOf(event) === key

/** With Ctrl, or Cmd on a Mac. */
export const withCtrl = (key: string, shift: boolean): Test => (event) => (event.ctrlKey || event.metaKey) && !event.altKey && event.shiftKey === shift && nameOf(event) === key

/** A character, whichever keys type it. */
export const typed = (...characters: readonly string[]): Test => (event) =>
  characters.includes(event.key) && (event.getModifierState('AltGraph') || !(event.ctrlKey || event.metaKey))

/** Whether a key is meant for the characters that are being put together (Chinese, Japanese, Korean): Enter takes these, and nothing else. */
export function composes(event: KeyboardEvent): boolean {
  // 229: Safari has ended the composition before it sends the Enter that ended it.
  return event.isComposing || event.keyCode === 229
}
