import { describe, expect, it } from 'vitest'
import { RpmTags } from './rpm-tags.ts'

const int8 = 2
const texts = 8
const million = 1_000_000

/** A header of arrays of as many zero bytes, tagged 1, 2 and so on. */
function tagsOf(...arrays: readonly { readonly type: number; readonly count: number }[]): RpmTags {
  const index = Buffer.alloc(arrays.length * 16)
  for (const [at, { type, count }] of arrays.entries())
    for (const [field, value] of [at + 1, type, 0, count].entries())
      index.writeUInt32BE(value, at * 16 + field * 4)
  return new RpmTags(index, Buffer.alloc(Math.max(...arrays.map(({ count }) => count))), 'header')
}

describe('arrays of a header', () => {
  it('are refused where they hold more than any package has, whatever their bytes', () => {
    const tags = tagsOf({ type: texts, count: 5 * million }, { type: int8, count: 5 * million })

    expect(() => tags.strings(1)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
    expect(() => tags.numbers(2)).toThrow('tag 2 of its header holds too much')
  })

  it('are counted together', () => {
    const tags = tagsOf({ type: texts, count: 3 * million }, { type: int8, count: 3 * million })

    expect(tags.strings(1)).toHaveLength(3 * million)
    expect(() => tags.numbers(2)).toThrow('tag 2 of its header holds too much')
  })

  it('are not read whole where the first is wanted', () => {
    const tags = tagsOf({ type: texts, count: 60 * million }, { type: int8, count: 60 * million })

    expect([tags.string(1), tags.number(2)]).toEqual(['', 0])
  })

  it('hold no more than who reads them takes', () => {
    const tags = tagsOf({ type: texts, count: 65 })

    expect(tags.strings(1, 65)).toHaveLength(65)
    expect(() => tags.strings(1, 64)).toThrow('tag 1 of its header holds 65 texts, allowed are 64')
  })
})
