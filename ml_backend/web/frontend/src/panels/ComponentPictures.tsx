import { useState } from 'preact/hooks'
import { server } from '../state'
import type { ComponentFacts } from './server'
import { Picture } from './Thumbnail'

/** What the decoder draws: the middle of the component, its doubt, and a walk along one axis of z. */
export function ComponentPictures({ facts, axes }: { readonly facts: ComponentFacts; readonly axes: number }) {
  const [axis, setAxis] = useState(0)
  const base = `components/${facts.c}`
  return (
    <section class="section" aria-label="Pictures of the component">
      <div class="decoded">
        <Shown path={`${base}/prototype.png`} words="Prototype" meaning="What the decoder draws at the middle of the component" />
        <Shown path={`${base}/sigma.png`} words="Sigma" meaning="Where the decoder is unsure: bright is blurred" />
        {facts.pseudo_inputs && <Shown path={`${base}/pseudo.png`} words="Pseudo-input" meaning="The learned input that stands for the component in the VampPrior" />}
      </div>
      <div class="heading">
        <h3>A walk in z, from −3 to +3 sd</h3>
        <label class="row small">Axis
          <input class="field axis" type="number" min="0" max={axes - 1} value={axis} onInput={(event) => setAxis(inside(event.currentTarget.valueAsNumber, axes))} />
        </label>
      </div>
      <input type="range" min="0" max={axes - 1} step="1" value={axis} aria-label="Axis of z" onInput={(event) => setAxis(inside(event.currentTarget.valueAsNumber, axes))} />
      <Picture path={`${base}/walk.png?axis=${axis}`} version={server.value?.versions.publication} alt={`Nine steps along axis ${axis} of z`} class="walk" />
    </section>
  )
}

function Shown({ path, words, meaning }: { readonly path: string; readonly words: string; readonly meaning: string }) {
  return (
    <figure title={meaning}>
      <Picture path={path} version={server.value?.versions.publication} alt={meaning} />
      <figcaption class="small quietly">{words}</figcaption>
    </figure>
  )
}

function inside(value: number, axes: number): number {
  return Number.isFinite(value) ? Math.min(axes - 1, Math.max(0, Math.round(value))) : 0
}
