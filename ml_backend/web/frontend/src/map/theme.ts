/** The page's colours, for what is drawn on canvases. */

import { signal } from '@preact/signals'
import type { Colours } from './overlay'
import { rgbOf, type Rgb } from './palette'

export const dark = signal(isDark())

/** Keeps `dark` right; returns the way to stop. */
export function watchTheme(): () => void {
  const look = (): void => {
    dark.value = isDark()
  }
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  system.addEventListener('change', look)
  const observer = new MutationObserver(look)
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
  look()
  return () => {
    system.removeEventListener('change', look)
    observer.disconnect()
  }
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme']
  return chosen === 'dark' || (chosen !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches)
}

export function overlayColours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const value = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback
  return {
    background: value('--map-bg', dark.value ? '#121518' : '#fbfcfc'),
    text: value('--text', dark.value ? '#e8ebee' : '#1a2025'),
    accent: value('--accent', dark.value ? '#7cbdf2' : '#0b62a8'),
    font: value('--font', 'sans-serif'),
    warning: value('--warn', dark.value ? '#eec06a' : '#855300'),
  }
}

export function backgroundColour(): Rgb {
  return rgbOf(overlayColours().background)
}

export function wantsStillness(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches
}
