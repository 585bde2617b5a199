/** The parts of the map's interface that the panels use (docs/map-api.md), typed. */

import { api, setPersonToken } from '../api'
import { person, type Person } from '../state'
import type { EpochLosses, Term, Weights } from './logic/losses'

export interface Card {
  readonly row: number
  /** 0 = none. */
  readonly task: number
  readonly kind: 'text' | 'image' | 'vector'
  readonly text: string
  readonly thumbnail: boolean
  /** A person's. */
  readonly label: string | null
  readonly annotators: readonly string[]
  readonly predicted: string | null
  readonly confidence: number
  readonly top: readonly (readonly [string, number])[]
  readonly component: number
  readonly reason: string
  /** Of a single card only, like `nearest_labelled`. */
  readonly words?: readonly string[]
  /** similarity: cosine, null when it is not among the nearest. */
  readonly nearest_labelled?: { readonly row: number; readonly task: number; readonly label: string | null; readonly similarity: number | null; readonly text: string } | null
}

export interface Suggestion {
  readonly row: number
  readonly task: number
  readonly reason: string
  readonly score: number
}

export interface Ranked {
  readonly rows: readonly number[]
  readonly p: readonly number[]
}

export interface Act {
  readonly id: number
  readonly kind: string
  readonly label: string | null
  readonly control: string | null
  readonly person: string
  readonly tasks: number
  readonly created_at: string
  readonly undone: boolean
  readonly progress: { readonly sent: number; readonly failed: number; readonly waiting: number }
  readonly error: string | null
}

export type ActRequest =
  | { readonly kind: 'label'; readonly control: string; readonly label: string; readonly tasks: readonly number[]; readonly overwrite: boolean }
  | { readonly kind: 'skip' | 'unsure' | 'never_seen'; readonly tasks: readonly number[] }
  | { readonly kind: 'accept'; readonly control: string; readonly component: number | null; readonly tasks: readonly number[] | null; readonly min_confidence: number }

export interface Steering {
  readonly weights: Weights
  readonly defaults: Weights
  readonly presets: Readonly<Record<string, Weights>>
  readonly prior: string
  readonly phase: string | null
  readonly next_phase: string
  readonly contributions: Partial<Readonly<Record<Term, number>>> | null
}

export interface TrainingRequest {
  readonly epochs: number
  readonly weights: Weights | null
  readonly prior: string | null
  readonly phase: string | null
}

export interface Run {
  readonly id: number
  readonly status: string
  readonly requested_by: string
  readonly weights: Weights | null
  readonly prior: string | null
  readonly phase: string | null
  readonly epochs: readonly EpochLosses[]
  readonly effect: { readonly accuracy: number | null; readonly accuracy_before: number | null; readonly usage: number | null; readonly changed: number | null } | null
  readonly started_at: string | null
  readonly finished_at: string | null
  /** Ended before its last epoch, by a person. */
  readonly stopped: boolean
  readonly error: string | null
  readonly restorable: boolean
}

export interface ComponentRow {
  readonly c: number
  readonly mass: number
  readonly items: number
  readonly label: string | null
  readonly labelled: number
}

export interface ComponentFacts {
  readonly c: number
  readonly mass: number
  readonly tau: readonly (readonly [string, number])[]
  readonly typical: readonly number[]
  readonly terms: readonly { readonly term: string; readonly here: number; readonly around: number }[]
  readonly neighbours: readonly number[]
  readonly sigma_mean: number | null
  readonly pictures: boolean
  /** null where there is no picture to walk in. */
  readonly latent_dim: number | null
  readonly pseudo_inputs: boolean
}

export interface Found {
  readonly rows: readonly number[]
  readonly total: number
  readonly cut: boolean
}

const at = encodeURIComponent

export const items = async (rows: readonly number[], control: string): Promise<readonly Card[]> =>
  (await api.post<{ items: readonly Card[] }>('items', { rows, control })).items
export const item = (row: number, control: string): Promise<Card> => api.get<Card>(`items/${row}?control=${at(control)}`)
export const search = (text: string, mode: 'text' | 'regex'): Promise<Found> => api.get<Found>(`search?q=${at(text)}&mode=${mode}`)
export const similar = (row: number, k: number): Promise<{ readonly rows: readonly number[] }> => api.get(`items/${row}/similar?k=${k}`)
export const ranked = (control: string, name: string, limit: number): Promise<Ranked> =>
  api.get<Ranked>(`ranked?control=${at(control)}&class=${at(name)}&limit=${limit}&unlabelled=1`)
export const queue = async (limit: number): Promise<readonly Suggestion[]> =>
  (await api.get<{ items: readonly Suggestion[] }>(`queue?limit=${limit}`)).items

export const postAct = (request: ActRequest): Promise<{ readonly act: Act; readonly kept: number }> => api.post('acts', request)
export const undoAct = async (id: number): Promise<Act> => (await api.post<{ act: Act }>(`acts/${id}/undo`)).act
export const redoAct = async (id: number): Promise<Act> => (await api.post<{ act: Act }>(`acts/${id}/redo`)).act
export const acts = async (): Promise<readonly Act[]> => (await api.get<{ acts: readonly Act[] }>('acts?limit=50')).acts
export const retryActs = (): Promise<unknown> => api.post('acts/retry')
export const createClass = (control: string, name: string): Promise<unknown> => api.post(`controls/${at(control)}/classes`, { name })
export const chooseLook = (control: string, name: string, look: { readonly colour: string } | { readonly shown_as: string }): Promise<unknown> =>
  api.post(`controls/${at(control)}/classes/${at(name)}`, look)

export const steering = (): Promise<Steering> => api.get<Steering>('training')
export const startTraining = (request: TrainingRequest): Promise<unknown> => api.post('training', request)
export const stopTraining = (): Promise<unknown> => api.post('training/stop')
export const runs = async (): Promise<readonly Run[]> => (await api.get<{ runs: readonly Run[] }>('runs')).runs
export const restore = (id: number | string): Promise<unknown> => api.post(`runs/${id}/restore`)
export const saveSettings = (settings: { readonly alpha0: number | null }): Promise<unknown> => api.post('settings', settings)

export const components = async (control: string): Promise<readonly ComponentRow[]> =>
  (await api.get<{ components: readonly ComponentRow[] }>(`components?control=${at(control)}`)).components
export const component = (c: number, control: string): Promise<ComponentFacts> => api.get<ComponentFacts>(`components/${c}?control=${at(control)}`)

/** Address of a picture, in memory; to be revoked by who asked. */
export const picture = async (path: string): Promise<string> => URL.createObjectURL(await api.blob(path))

/** Checks the person's Label Studio token and keeps it for the writes of this tab. */
export async function signIn(token: string): Promise<Person> {
  setPersonToken(token)
  try {
    const { person: who } = await api.post<{ person: Person }>('sign-in')
    person.value = who
    return who
  } catch (error) {
    setPersonToken(null)
    throw error
  }
}

export function signOut(): void {
  setPersonToken(null)
  person.value = null
}
