import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'

/** regl-scatterplot brings these within its own file, where Vite does not see them. */
const WITHIN_REGL_SCATTERPLOT = ['@flekschas/utils', 'camera-2d-simple', 'dom-2d-camera', 'earcut', 'gl-matrix', 'kdbush', 'regl-line']

function licencesWithin(packages: readonly string[]): Plugin {
  return {
    name: 'licences-within',
    generateBundle() {
      const texts = packages.map((name) => {
        const folder = new URL(`node_modules/${name}/`, import.meta.url)
        const file = readdirSync(folder).find((each) => /^licen[sc]e/i.test(each))
        if (file === undefined) throw new Error(`${name} has no licence file`)
        return `## ${name}\n\n${readFileSync(new URL(file, folder), 'utf8').trim()}\n`
      })
      this.emitFile({ type: 'asset', fileName: 'assets/licences-within-regl-scatterplot.md', source: texts.join('\n') })
    },
  }
}

export default defineConfig({
  // Relative: the page is at /map/<project>, its files at /map/assets, wherever a proxy puts both.
  base: './',
  plugins: [licencesWithin(WITHIN_REGL_SCATTERPLOT)],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The page's policy allows files only, no data: scripts or styles.
    assetsInlineLimit: 0,
    // Of everything else that is bundled.
    license: { fileName: 'assets/licences.md' },
    chunkSizeWarningLimit: 1000,
  },
})
