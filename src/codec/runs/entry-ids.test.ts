import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { EntryIds, type EntryPage, entryIdBytes } from './entry-ids.ts'

function pageOf(texts: readonly string[]): EntryPage {
  const ids = texts.map((text) => hash('sha256', text, 'buffer').subarray(0, entryIdBytes))
  return { keys: texts, ids: Buffer.concat(ids) }
}

function filled(page: EntryPage): EntryIds {
  const ids = new EntryIds()
  for (const index of page.keys.keys()) ids.add(page, index)
  return ids
}

const page = pageOf(Array.from({ length: 2500 }, (_, index) => `entry ${index}`))

describe('ids of entries', () => {
  it('are found where they stand', () => {
    const ids = filled(page)

    expect(page.keys.map((_, index) => ids.find(page, index))).toEqual([...page.keys.keys()])
  })

  it('are not found where they are not', () => {
    const others = pageOf(['another', 'and one more'])

    expect([filled(page).find(others, 1), new EntryIds().find(others, 0)]).toEqual([-1, -1])
  })

  it('of which several begin alike are told apart', () => {
    const alike = { keys: ['a', 'b', 'c'], ids: Buffer.alloc(3 * entryIdBytes, 7) }
    alike.ids[2 * entryIdBytes - 1] = 8
    alike.ids[3 * entryIdBytes - 1] = 9
    const ids = filled(alike)

    expect([0, 1, 2].map((index) => ids.find(alike, index))).toEqual([0, 1, 2])
  })

  it('come back from their lines', () => {
    const lines = [...filled(page).lines()]
    const parsed = EntryIds.parse(lines)

    expect(lines).toHaveLength(3)
    expect(parsed.equals(filled(page))).toBe(true)
    expect(parsed.find(page, 2499)).toBe(2499)
    expect(EntryIds.parse([...new EntryIds().lines()]).length).toBe(0)
  })

  it('are not read where a line is cut off', () => {
    expect(() => EntryIds.parse(['AAAA'])).toThrow('cut off')
  })
})
