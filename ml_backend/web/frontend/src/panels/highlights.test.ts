import { expect, it } from 'vitest'
import { filtersOf, HIGHLIGHTS, highlightOf, type Highlight } from './highlights'

it('each choice of what stays bright is shown as it was chosen', () => {
  for (const highlight of Object.keys(HIGHLIGHTS) as Highlight[]) expect(highlightOf(filtersOf(highlight, 0.7))).toBe(highlight)
})

it('outside takes the threshold of the ring', () => expect(filtersOf('outside', 0.7).minOod).toBe(0.7))
