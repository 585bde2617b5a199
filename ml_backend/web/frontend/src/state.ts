/** What the page knows: signals that every part of it reads. `live.ts` keeps those fresh that come from the server. */

import { signal } from '@preact/signals'
import { emptyColumns, type Columns } from './columns'

export interface ShownClass {
  /** The label config's value: what is asked for and labelled with. */
  readonly name: string
  /** What the map calls it; its value where nobody chose a name. */
  readonly shown_as: string
  readonly colour: string
  readonly human: number
  readonly propagated: number
}

export interface ShownControl {
  /** Of a control that takes several answers: NAME/CHOICE. */
  readonly name: string
  readonly kind: 'single' | 'multiple' | 'taxonomy'
  readonly classes: readonly ShownClass[]
}

export interface Versions {
  readonly publication: number
  readonly labels: number
  readonly layout: number
  readonly rows: string
  readonly frame: number
  readonly marks: string
}

export interface Training {
  readonly status: 'idle' | 'queued' | 'running'
  readonly run: number | null
  readonly epoch: number
  readonly epochs: number
  readonly phase: string | null
  readonly reason_disabled: string | null
}

/** A person whose labels wait until that person signs in again. */
export interface Needing {
  readonly id: number
  readonly name: string
  readonly waiting: number
}

export interface Outbox {
  readonly waiting: number
  readonly failed: number
  readonly sent: number
  readonly needs: readonly Needing[]
}

/** The reply of GET state. */
export interface State {
  readonly project: string
  readonly title: string
  readonly task_kind: 'text' | 'image' | 'vector' | 'mixed'
  readonly label_studio: { readonly url: string; readonly project: number } | null
  readonly items: number
  readonly versions: Versions
  readonly controls: readonly ShownControl[]
  readonly layout: { readonly kind: string; readonly better_on_its_way: boolean }
  readonly progress: {
    readonly labelled: number
    readonly tasks: number
    readonly covered_mass: number
    readonly accuracy: { readonly estimate: number; readonly low: number; readonly high: number; readonly labels: number } | null
    readonly unreadable: number
  }
  readonly training: Training
  readonly settings: { readonly alpha0: number | null; readonly never_seen_level: number; readonly query: string }
  readonly outbox: Outbox
  readonly changed: { readonly run: number | null; readonly count: number }
  readonly components: number
  readonly used_components: number
}

export const COLOUR_MODES = ['label', 'confidence', 's_ood', 'novelty', 'aleatoric', 'disagreement', 'density', 'component'] as const
export type ColourMode = (typeof COLOUR_MODES)[number]
export const MODES = ['pan', 'lasso', 'rectangle', 'brush'] as const
export type Mode = (typeof MODES)[number]

export interface Filters {
  readonly changed: boolean
  readonly statuses: ReadonlySet<number> | null
  /** 0..1. */
  readonly minOod: number | null
}

export interface Selection {
  /** Sorted, without repeats. */
  readonly rows: Uint32Array
  /** What made it, in words. */
  readonly source: string
  /** Grows with each that somebody makes; the same as long as it only follows its tasks. */
  readonly number: number
}

export interface Person {
  readonly id: number
  readonly name: string
  readonly email: string
}

/** refused: the server answers, and does not let this page in. unknown: it has no such project. */
export type Connection = 'live' | 'polling' | 'lost' | 'refused' | 'unknown'

/** Null until the first reply. */
export const server = signal<State | null>(null)
/** Replaced as a whole with every change; an unchanged column stays the same array. */
export const columns = signal<Columns>(emptyColumns(0))
/** Why the map cannot be shown, in words. */
export const trouble = signal<string | null>(null)
export const connection = signal<Connection>('live')
/** Which question is worked on; '' until the state is there. */
export const control = signal('')
export const colourMode = signal<ColourMode>('label')
/** Class indices; NO_CLASS for "nothing named". */
export const hidden = signal<ReadonlySet<number>>(new Set())
/** Dims the others; none vanishes. */
export const filters = signal<Filters>({ changed: false, statuses: null, minOod: null })
/** Rings from this s_OOD on, 0..1. */
export const oodThreshold = signal(0.9)
export const selection = signal<Selection>({ rows: new Uint32Array(), source: '', number: 0 })
/** Rows dropped from the selection before a label is given. */
export const excluded = signal<ReadonlySet<number>>(new Set())
export const hovered = signal<number | null>(null)
export const pinned = signal<number | null>(null)
/** Search hits. */
export const highlighted = signal<Uint32Array>(new Uint32Array())
/** The current suggestion, or the task that Label Studio shows. */
export const current = signal<number | null>(null)
export const mode = signal<Mode>('lasso')
/** Who is signed in to write. */
export const person = signal<Person | null>(null)
/** New places wait until it is off again. */
export const frozen = signal(false)
