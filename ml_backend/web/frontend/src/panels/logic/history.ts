/** The acts on the map: what to undo next, what to redo next, and how far each one is. */

import { count, plural } from './words'

/** What is read of an act here. */
export interface Done {
  readonly id: number | string
  readonly kind: string
  readonly label: string | null
  readonly control: string | null
  readonly person: string
  readonly tasks: number
  readonly undone: boolean
  readonly progress: { readonly sent: number; readonly failed: number; readonly waiting: number }
}

/** This person's newest act that still stands; acts come newest first. Nobody takes back what others did. */
export function nextUndo<Act extends Done>(acts: readonly Act[], person: string): Act | null {
  return acts.find((act) => !act.undone && act.person === person) ?? null
}

/** The act to bring back: the one undone last in this sitting that is still undone. */
export function nextRedo<Act extends Done>(acts: readonly Act[], undoneHere: readonly Act['id'][]): Act | null {
  for (const id of [...undoneHere].reverse()) {
    const act = acts.find((candidate) => candidate.id === id)
    if (act?.undone) return act
  }
  return null
}

/** “Labelled 412 as refund”, “Labelled 13 as yes (tags: urgent)”, “Skipped 3 items”. */
export function actInWords(act: Pick<Done, 'kind' | 'label' | 'control' | 'tasks'>): string {
  const items = plural(act.tasks, 'item')
  switch (act.kind) {
    case 'label': return `Labelled ${count(act.tasks)} as ${act.label ?? '?'}${choiceOf(act.control)}`
    case 'accept': return `Accepted ${plural(act.tasks, 'prediction')}`
    case 'skip': return `Skipped ${items}`
    case 'unsure': return `Marked ${items} as unsure`
    case 'never_seen': return `Marked ${items} as never seen`
    default: return `${act.kind}: ${items}`
  }
}

/** Of a box to tick, which: every one of them is answered with yes and no. */
function choiceOf(control: string | null): string {
  return control?.includes('/') ? ` (${control.replace('/', ': ')})` : ''
}

/** “412 in Label Studio”, “300 of 412 in Label Studio”, “2 failed, 410 in Label Studio”. */
export function progressInWords(act: Done): string {
  const { sent, failed, waiting } = act.progress
  if (act.undone) return waiting > 0 ? `undone, ${count(waiting)} still to take back` : 'undone'
  const parts: string[] = []
  if (failed > 0) parts.push(`${count(failed)} failed`)
  const total = sent + failed + waiting
  parts.push(waiting > 0 || failed > 0 ? `${count(sent)} of ${count(total)} in Label Studio` : `${count(sent)} in Label Studio`)
  return parts.join(', ')
}

/** Share of an act that has reached Label Studio, 0..1. */
export function progressShare(act: Done): number {
  const total = act.progress.sent + act.progress.failed + act.progress.waiting
  return total > 0 ? act.progress.sent / total : 1
}
