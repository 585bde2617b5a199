/** A long list of rows of equal height of which only the visible ones exist. */

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'

const SPARE = 6

interface Props {
  readonly count: number
  /** Pixels of one row. */
  readonly rowHeight: number
  readonly label: string
  /** Row to keep in sight, or -1. */
  readonly active: number
  readonly children: (index: number) => ComponentChildren
  readonly onVisible?: (from: number, to: number) => void
  readonly onKeyDown?: (event: KeyboardEvent) => void
}

/** A grid of one column for assistive technology: aria-rowcount says how long it really is. */
export function VirtualList({ count, rowHeight, label, active, children, onVisible, onKeyDown }: Props) {
  const box = useRef<HTMLDivElement>(null), id = useId()
  const [window_, setWindow] = useState({ from: 0, to: 30 })
  const measure = (): void => {
    const element = box.current
    if (element === null) return
    const from = Math.max(0, Math.floor(element.scrollTop / rowHeight) - SPARE)
    const to = Math.min(count, Math.ceil((element.scrollTop + element.clientHeight) / rowHeight) + SPARE)
    setWindow((now) => (now.from === from && now.to === to ? now : { from, to }))
  }
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [count, rowHeight])
  useEffect(() => onVisible?.(window_.from, Math.min(window_.to, count)), [window_.from, window_.to, count])
  useEffect(() => {
    const element = box.current
    if (element === null || active < 0) return
    const top = active * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + rowHeight - element.clientHeight
  }, [active])
  const rows = []
  for (let index = window_.from; index < Math.min(window_.to, count); index++) {
    rows.push(
      <div key={index} id={`${id}-${index}`} role="row" aria-rowindex={index + 1} class="virtual-row" style={{ top: `${index * rowHeight}px`, height: `${rowHeight}px` }}>
        {children(index)}
      </div>,
    )
  }
  return (
    <div ref={box} class="virtual" role="grid" tabIndex={0} aria-label={label} aria-activedescendant={active < 0 ? undefined : `${id}-${active}`} aria-rowcount={count} aria-colcount={1} onScroll={measure} onKeyDown={onKeyDown}>
      <div class="virtual-inside" role="presentation" style={{ height: `${count * rowHeight}px` }}>
        {rows}
      </div>
    </div>
  )
}
