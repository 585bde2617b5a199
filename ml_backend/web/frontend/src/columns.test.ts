import { describe, expect, it } from 'vitest'
import { checked, decode, emptyColumns, NO_CLASS } from './columns'

function packed(dtype: number, width: number, n: number, body: ArrayLike<number>): ArrayBuffer {
  const bytes = new Uint8Array(16 + body.length)
  bytes.set([...'LNTN'].map((letter) => letter.charCodeAt(0)))
  bytes.set([1, dtype, width, 0], 4)
  new DataView(bytes.buffer).setUint32(8, n, true)
  bytes.set(Uint8Array.from(body), 16)
  return bytes.buffer
}

describe('a column', () => {
  it('of class indices is read as such', () => {
    const { n, values } = decode(packed(2, 1, 3, [0, 0, 255, 255, 1, 0]))
    expect(n).toBe(3)
    expect([...values]).toEqual([0, NO_CLASS, 1])
  })

  it('of places has two values an item', () => {
    const body = new Uint8Array(new Float32Array([0.5, -1, 0.25, 1]).buffer)
    const { n, values } = checked('xy', packed(4, 2, 2, body))
    expect(n).toBe(2)
    expect([...values]).toEqual([0.5, -1, 0.25, 1])
  })

  it('that is cut, foreign or of another type is refused', () => {
    expect(() => decode(packed(2, 1, 4, [0, 0]))).toThrow('cut')
    expect(() => decode(new ArrayBuffer(4))).toThrow('short')
    expect(() => decode(packed(9, 1, 1, [0]))).toThrow('type')
    const foreign = packed(1, 1, 1, [0])
    new Uint8Array(foreign)[0] = 0
    expect(() => decode(foreign)).toThrow('no column')
    expect(() => checked('status', packed(2, 1, 1, [0, 0]))).toThrow('status')
  })
})

it('items of which nothing is known have no class', () => {
  const columns = emptyColumns(2)
  expect([...columns.class]).toEqual([NO_CLASS, NO_CLASS])
  expect(columns.xy).toHaveLength(4)
})
