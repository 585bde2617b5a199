import { server } from '../state'

/** Where Label Studio shows a task, or null where that is not known. */
export function taskAddress(task: number): string | null {
  const home = server.value?.label_studio
  return home == null || task <= 0 ? null : `${home.url.replace(/\/$/, '')}/projects/${home.project}/data?task=${task}`
}
