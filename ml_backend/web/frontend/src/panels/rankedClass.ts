import { signal } from '@preact/signals'

/** Index of the class whose items are ranked. */
export const rankedClass = signal(0)
