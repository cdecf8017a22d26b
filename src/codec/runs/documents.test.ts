import { createHash } from 'node:crypto'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readWhole } from '../../core/bytes.ts'
import { TreeIncomplete } from '../../core/publication.ts'
import { decompress } from '../compression.ts'
import { type Entries, makeDocument, textOf, treeOf } from './documents.test-support.ts'
import { maxRunBytes } from './run-ends.ts'

async function* once(bytes: Uint8Array) {
  yield bytes
}

async function opened(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await readWhole(decompress(once(bytes), { maxSize: 2 ** 28 }))).toString()
}

const keyOf = (index: number) => `package-${String(index).padStart(5, '0')}`

function entriesOf(count: number, text = (index: number) => `entry ${index}`): Entries {
  return new Map(Array.from({ length: count }, (_, index) => [keyOf(index), text(index)]))
}

/** Numbers that look like chance, and are the same each time. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Some entries are gone, some are others now, some are new. */
function changed(entries: Entries, next: (below: number) => number): Entries {
  const found = new Map(entries)
  for (const key of entries.keys()) {
    const what = next(20)
    if (what === 0) found.delete(key)
    if (what === 1) found.set(key, `${key} changed ${next(1000)} ${'y'.repeat(next(300))}`)
  }
  for (let count = next(30); count > 0; count--) {
    const key = keyOf(next(800))
    found.set(key, `${key} new ${next(1000)}`)
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

describe.each(['gzip', 'zstd'] as const)('a document in %s runs', (format) => {
  it('is one file that any decoder reads, and is measured', async () => {
    const entries = entriesOf(500)

    const { bytes, open } = await makeDocument(entries, { format })

    const text = textOf(entries)
    expect(await opened(bytes)).toBe(text)
    if (format === 'gzip') expect(gunzipSync(bytes).toString()).toBe(text)
    expect(open).toEqual({ hex: createHash('sha256').update(text).digest('hex'), size: text.length })
  })

  it('is the same bytes with any earlier document and without, however entries change', async () => {
    const next = chance(7)
    let entries = entriesOf(600)
    let { tree } = await makeDocument(entries, { format })
    for (let round = 0; round < 25; round++) {
      const before = entries
      entries = round % 8 === 7 ? new Map([...entries].slice(0, next(40))) : changed(entries, next)

      const repeated = await makeDocument(entries, { format, earlier: tree })
      const fresh = await makeDocument(entries, { format })

      expect(repeated.bytes.equals(fresh.bytes)).toBe(true)
      expect(repeated.open).toEqual(fresh.open)
      expect(repeated.notes).toEqual(fresh.notes)
      expect(await opened(repeated.bytes)).toBe(textOf(entries))
      expect(repeated.made).toBe([...entries].filter(([key, text]) => before.get(key) !== text).length)
      tree = repeated.tree
    }
  })

  it('has long runs repeated and cut as they were', async () => {
    const long = (index: number) => `${index} `.repeat(index % 40 === 3 ? 2_500_000 : 10)
    const entries = entriesOf(100, long)
    const first = await makeDocument(entries, { format, average: 64 })
    const others = new Map(entries).set(keyOf(50), 'another')

    const second = await makeDocument(others, { format, average: 64, earlier: first.tree })

    expect(long(3).length).toBeGreaterThan(maxRunBytes)
    expect(second.made).toBe(1)
    expect(second.bytes.equals((await makeDocument(others, { format, average: 64 })).bytes)).toBe(true)
  })

  it('is not made beside a file that a disk has damaged, anywhere', async () => {
    const entries = entriesOf(300)
    const first = await makeDocument(entries, { format })
    for (const at of [30, first.bytes.byteLength >> 1, first.bytes.byteLength - 40]) {
      const damaged = Buffer.from(first.bytes)
      damaged.writeUInt8((damaged[at] ?? 0) ^ 1, at)

      for (const each of [entries, new Map([...entries].slice(1, -1))]) {
        const second = makeDocument(each, { format, earlier: treeOf(damaged, first.notes) })
        await expect(second).rejects.toThrow(TreeIncomplete)
      }
    }
  })

  it('is not made beside a file that is gone or shorter', async () => {
    const entries = entriesOf(300)
    const first = await makeDocument(entries, { format })
    const shorter = treeOf(first.bytes.subarray(0, -60), first.notes)
    const gone = { ...first.tree, read: async () => null }

    await expect(makeDocument(entries, { format, earlier: shorter })).rejects.toThrow(TreeIncomplete)
    await expect(makeDocument(entries, { format, earlier: gone })).rejects.toThrow(TreeIncomplete)
  })

  it('takes nothing from one of another recipe, format or version', async () => {
    const entries = entriesOf(50)
    const { tree, notes } = await makeDocument(entries, { format })
    const older = notes.map((line) => line.replace(/^(entries|document)\t\d+/, '$1\t1'))

    const made = async (earlier: typeof tree, others = {}) =>
      (await makeDocument(entries, { format, earlier, ...others })).made

    expect(await made(tree)).toBe(0)
    expect(await made(tree, { recipe: 'another' })).toBe(50)
    expect(await made(tree, { format: format === 'gzip' ? 'zstd' : 'gzip' })).toBe(50)
    expect(await made({ ...tree, notes: older })).toBe(50)
    expect(await made({ ...tree, notes: ['of somebody else\t1', ...notes.slice(1)] })).toBe(50)
  })

  it('of no entries is followed by one of some, and the other way round', async () => {
    const none = await makeDocument(new Map(), { format })
    const some = await makeDocument(entriesOf(20), { format, earlier: none.tree })

    expect(await opened(none.bytes)).toBe('<0>\n</>\n')
    expect(await opened(some.bytes)).toBe(textOf(entriesOf(20)))
    expect((await makeDocument(new Map(), { format, earlier: some.tree })).bytes.equals(none.bytes)).toBe(
      true,
    )
  })
})

it('makes one gzip member, so that clients need not know of several', async () => {
  const { bytes } = await makeDocument(entriesOf(500))

  expect(bytes.indexOf(Buffer.of(0x1f, 0x8b, 8), 1)).toBe(-1)
})

it('makes zstd frames that each decode by themselves', async () => {
  const { bytes } = await makeDocument(entriesOf(500), { format: 'zstd' })

  expect(zstdDecompressSync(bytes).toString()).toBe('<500>\n')
})

it('fails where notes and file contradict each other', async () => {
  const entries = entriesOf(300)
  const first = await makeDocument(entries)
  const lines = first.notes.map((line) => line.replace(/ (\d+)$/, (_, length) => ` ${Number(length) + 1}`))
  const others = new Map(entries).set(keyOf(150), 'another')

  await expect(makeDocument(others, { earlier: { ...first.tree, notes: lines } })).rejects.toThrow(
    'a note is wrong',
  )
})
