/** The losses of all runs as they come in, drawn by uPlot; the same numbers as a table for who does not see it. */

import 'uplot/dist/uPlot.min.css'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { dark } from '../map/theme'
import { lossLines, positive, TERM_WORDS, TERMS, type LossLines, type Term } from './logic/losses'
import { figure } from './logic/words'
import type { Run } from './server'

const HEIGHT = 170
/** One colour a term, apart from each other for the colour-blind; the total is the text's own colour. */
const COLOURS: Readonly<Record<Term, string>> = {
  reconstruction: '#0072b2', kl: '#e69f00', prior: '#009e73', spread: '#56b4e9', sparsity: '#a0522d', classification: '#d55e00', contrastive: '#cc79a7',
}
const DASHES: Readonly<Record<Term, number[]>> = {
  reconstruction: [], kl: [6, 3], prior: [2, 2], spread: [8, 3, 2, 3], sparsity: [4, 4], classification: [], contrastive: [6, 3],
}

export function LossChart({ runs }: { readonly runs: readonly Run[] }) {
  const [logarithmic, setLogarithmic] = useState(false)
  const [weighted, setWeighted] = useState(true)
  const [off, setOff] = useState<ReadonlySet<Term>>(new Set())
  const lines = useMemo(() => lossLines([...runs].reverse(), weighted), [runs, weighted])
  if (lines.epochs.length === 0) return <p class="note">Losses appear here with the first epoch.</p>
  return (
    <section class="section" aria-label="Losses">
      <div class="heading">
        <h2>Losses</h2>
        <button type="button" class="button" aria-pressed={weighted} title="Each term times its weight, as they add up" onClick={() => setWeighted(!weighted)}>Weighted</button>
        <button type="button" class="button" aria-pressed={logarithmic} onClick={() => setLogarithmic(!logarithmic)}>Log</button>
      </div>
      <Plot key={dark.value ? 'dark' : 'light'} lines={lines} logarithmic={logarithmic} off={off} />
      <ul class="series">
        <li><span class="stroke total" />Total</li>
        {TERMS.map((term) => (
          <li key={term}>
            <button type="button" class="button quiet small" aria-pressed={!off.has(term)} onClick={() => setOff(toggled(off, term))}><span class="stroke" style={{ background: COLOURS[term] }} />{TERM_WORDS[term].name}</button>
          </li>
        ))}
      </ul>
      <LossTable lines={lines} />
    </section>
  )
}

function Plot({ lines, logarithmic, off }: { readonly lines: LossLines; readonly logarithmic: boolean; readonly off: ReadonlySet<Term> }) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const changes = useRef(lines.changes)
  changes.current = lines.changes
  const data = (): uPlot.AlignedData => {
    const shown = logarithmic ? positive : (values: readonly (number | null)[]) => [...values]
    return [lines.epochs, shown(lines.total), ...TERMS.map((term) => (off.has(term) ? lines.epochs.map(() => null) : shown(lines.terms[term])))]
  }
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new uPlot(options(element.clientWidth, logarithmic, () => changes.current), data(), element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
  }, [logarithmic])
  useEffect(() => plot.current?.setData(data()), [lines, off])
  return <div ref={box} class="plot" role="img" aria-label="Losses by epoch; the table below has the numbers" />
}

function options(width: number, logarithmic: boolean, changes: () => readonly number[]): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const [text, grid] = [style.getPropertyValue('--text-2').trim(), style.getPropertyValue('--line').trim()]
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '11px sans-serif' }
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { x: { time: false }, y: logarithmic ? { distr: 3, log: 10 } : {} },
    axes: [{ ...axis, size: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], space: 34 }, { ...axis, size: 48 }],
    series: [
      {},
      { label: 'Total', stroke: style.getPropertyValue('--text').trim(), width: 2, points: { show: true, size: 5 } },
      ...TERMS.map((term) => ({ label: TERM_WORDS[term].name, stroke: COLOURS[term], dash: DASHES[term], width: 1.5, points: { show: false } })),
    ],
    hooks: { draw: [(plot) => drawChanges(plot, changes(), text)] },
  }
}

/** A dashed line where other weights began. */
function drawChanges(plot: uPlot, changes: readonly number[], colour: string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.strokeStyle = colour
  ctx.lineWidth = window.devicePixelRatio
  ctx.setLineDash([4 * window.devicePixelRatio, 4 * window.devicePixelRatio])
  for (const epoch of changes) {
    const x = Math.round(plot.valToPos(epoch - 0.5, 'x', true))
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

const TABLE_ROWS = 30

function LossTable({ lines }: { readonly lines: LossLines }) {
  const from = Math.max(0, lines.epochs.length - TABLE_ROWS)
  const places = lines.epochs.map((_, i) => i).slice(from).reverse()
  return (
    <details>
      <summary>Losses as a table</summary>
      <div class="scrolls losses" tabIndex={0} role="region" aria-label="Losses by epoch">
        <table class="figures">
          <thead><tr><th scope="col">Epoch</th><th scope="col">Total</th>{TERMS.map((term) => <th key={term} scope="col">{TERM_WORDS[term].name}</th>)}</tr></thead>
          <tbody>
            {places.map((i) => (
              <tr key={i}>
                <th scope="row">{`${lines.epochs[i]}${lines.changes.includes(i + 1) ? ' (new weights)' : ''}`}</th><td>{figure(lines.total[i])}</td>
                {TERMS.map((term) => <td key={term}>{figure(lines.terms[term][i])}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

function toggled(set: ReadonlySet<Term>, term: Term): ReadonlySet<Term> {
  const next = new Set(set)
  if (!next.delete(term)) next.add(term)
  return next
}
