/** Columns of the map: one typed array per property, one value (places: two) per item, as docs/map-api.md sends them. */

/** Class index of an item for which no class is named. */
export const NO_CLASS = 65535

const HEADER_BYTES = 16
const MAGIC = 0x4e544e4c // "LNTN", little-endian
const VERSION = 1

export type Values = Uint8Array | Uint16Array | Uint32Array | Float32Array

const TYPES = { 1: Uint8Array, 2: Uint16Array, 3: Uint32Array, 4: Float32Array } as const

/** Decodes a column. Throws when it is none, or is cut. */
export function decode(bytes: ArrayBuffer): { readonly n: number; readonly width: number; readonly values: Values } {
  if (bytes.byteLength < HEADER_BYTES) throw new Error('a column is too short')
  const head = new DataView(bytes)
  if (head.getUint32(0, true) !== MAGIC || head.getUint8(4) !== VERSION) throw new Error('this is no column that the page can read: reload it')
  const Type = TYPES[head.getUint8(5) as keyof typeof TYPES]
  const width = head.getUint8(6), n = head.getUint32(8, true)
  if (Type === undefined) throw new Error('a column has a type that the page does not know: reload it')
  if (bytes.byteLength !== HEADER_BYTES + n * width * Type.BYTES_PER_ELEMENT) throw new Error('a column is cut')
  return { n, width, values: new Type(bytes, HEADER_BYTES, n * width) }
}

/** What one value per item says; 0..255 stands for 0..1 where no other meaning is given in docs/map-api.md. */
export interface Columns {
  /** Items. */
  readonly n: number
  /** Task ids, 0 = no task. */
  readonly ids: Uint32Array
  /** (n, 2) places within [-1, 1]. */
  readonly xy: Float32Array
  readonly class: Uint16Array
  readonly status: Uint8Array
  readonly pending: Uint8Array
  readonly confidence: Uint8Array
  readonly s_ood: Uint8Array
  readonly novelty: Uint8Array
  readonly aleatoric: Uint8Array
  readonly disagreement: Uint8Array
  readonly density: Uint8Array
  readonly component: Uint32Array
  readonly changed: Uint8Array
}

export type ColumnName = Exclude<keyof Columns, 'n'>

/** What the first picture needs; the others follow. */
export const FIRST_COLUMNS: readonly ColumnName[] = ['ids', 'xy', 'class', 'status', 'confidence', 's_ood']
export const OTHER_COLUMNS: readonly ColumnName[] = ['pending', 'changed', 'novelty', 'aleatoric', 'disagreement', 'density', 'component']

const KINDS: { readonly [Name in ColumnName]: { new (length: number): Columns[Name]; readonly BYTES_PER_ELEMENT: number } } = {
  ids: Uint32Array, xy: Float32Array, class: Uint16Array, status: Uint8Array, pending: Uint8Array, confidence: Uint8Array, s_ood: Uint8Array,
  novelty: Uint8Array, aleatoric: Uint8Array, disagreement: Uint8Array, density: Uint8Array, component: Uint32Array, changed: Uint8Array,
}

/** Columns of n items of which nothing is known yet. */
export function emptyColumns(n: number): Columns {
  const empty: Partial<Record<ColumnName, Values>> = {}
  for (const name of [...FIRST_COLUMNS, ...OTHER_COLUMNS]) empty[name] = new KINDS[name](name === 'xy' ? 2 * n : n)
  empty.class?.fill(NO_CLASS)
  return { n, ...(empty as Omit<Columns, 'n'>) }
}

/** A column of the type that the page expects of this name. Throws when the server sends another one. */
export function checked(name: ColumnName, bytes: ArrayBuffer): { readonly n: number; readonly values: Values } {
  const { n, width, values } = decode(bytes)
  if (!(values instanceof KINDS[name]) || width !== (name === 'xy' ? 2 : 1)) throw new Error(`the column ${name} has an unexpected type: reload the page`)
  return { n, values }
}
