import { useEffect, useState } from 'preact/hooks'
import { server } from '../state'
import { SMOOTHING_SCALE, stopOf, valueAt, weightInWords } from './logic/scale'
import { setSmoothing } from './trainingActions'

const REST_MILLISECONDS = 250
const LEAST_STOP = 1
const START = 0.1

/** alpha0: how quickly a few labels convince a whole component. Takes effect at once, without training. */
export function Smoothing() {
  const saved = server.value?.settings.alpha0 ?? null
  const [value, setValue] = useState<number | null>(null)
  const shown = value ?? saved
  useEffect(() => setValue(null), [saved])
  useEffect(() => {
    if (value === null) return
    const timer = window.setTimeout(() => setSmoothing(value), REST_MILLISECONDS)
    return () => window.clearTimeout(timer)
  }, [value])
  return (
    <section class="section" aria-label="Label smoothing">
      <div class="heading">
        <label for="alpha0">Caution with few labels (alpha0)</label>
        <output for="alpha0">{shown === null ? 'by itself' : weightInWords(shown)}</output>
        <button type="button" class="button quiet icon" disabled={saved === null} aria-label="Let Lantern choose alpha0" title="Let Lantern choose" onClick={() => setSmoothing(null)}>↺</button>
      </div>
      <input id="alpha0" type="range" min={LEAST_STOP} max={SMOOTHING_SCALE.stops} step="1" value={stopOf(shown ?? START, SMOOTHING_SCALE)} aria-valuetext={shown === null ? 'by itself' : weightInWords(shown)}
        onInput={(event) => setValue(valueAt(event.currentTarget.valueAsNumber, SMOOTHING_SCALE))} />
      <p class="small quietly">Low: one label convinces its component. High: more labels are needed. Acts at once.</p>
    </section>
  )
}
