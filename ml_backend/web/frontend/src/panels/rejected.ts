import { signal } from '@preact/signals'

/** Class index that was rejected for the current suggestion, or null. */
export const rejected = signal<number | null>(null)
