import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readWhole } from '../core/bytes.ts'
import { decompress } from './compression.ts'
import { compressRuns, type RunFormat } from './run-compression.ts'

const runs = ['<header>\n', 'one '.repeat(5000), 'two '.repeat(7000), '', '</footer>\n'].map((text) =>
  Buffer.from(text),
)

async function* each<T>(items: readonly T[]) {
  yield* items
}

async function compressed(format: RunFormat, known: ReadonlyMap<string, Uint8Array> = new Map()) {
  const found: { readonly digest: string | null; readonly bytes: Uint8Array }[] = []
  for await (const run of compressRuns(format, each(runs), async (digest) => known.get(digest) ?? null))
    found.push(run)
  return { found, whole: Buffer.concat(found.map(({ bytes }) => bytes)) }
}

describe.each(['gzip', 'zstd'] as const)('runs in %s', (format) => {
  it('are one file that any decoder reads', async () => {
    const { whole } = await compressed(format)
    const open = format === 'gzip' ? gunzipSync(whole) : null

    expect((await readWhole(decompress(each([whole]), { maxSize: 1e6 }))).toString()).toBe(
      Buffer.concat(runs).toString(),
    )
    if (open) expect(open).toEqual(Buffer.concat(runs))
  })

  it('are the same bytes whether they are known or not', async () => {
    const first = await compressed(format)
    const known = new Map(first.found.flatMap(({ digest, bytes }) => (digest ? [[digest, bytes]] : [])))

    const second = await compressed(format, known)

    expect(second.whole).toEqual(first.whole)
  })
})

it('finds a run by what it was made from, as far as size and CRC-32 are the same', async () => {
  const digests = async (...texts: readonly string[]) => {
    const made = texts.map((text) => ({ bytes: Buffer.from(text), origin: 'one package' }))
    const found: unknown[] = []
    const none = async () => null
    for await (const { digest } of compressRuns('zstd', each(made), none)) found.push(digest)
    return found
  }

  const [first, same, other, longer] = await digests('text', 'text', 'next', 'texts')

  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(same).toBe(first)
  expect(new Set([first, other, longer]).size).toBe(3)
})

it('makes one gzip member, so that clients need not know of several', async () => {
  const { whole } = await compressed('gzip')
  const members = whole.indexOf(Buffer.of(0x1f, 0x8b, 8), 1)

  expect(members).toBe(-1)
})

it('makes zstd frames that each decode by themselves', async () => {
  const { found } = await compressed('zstd')

  expect(found.map(({ bytes }) => zstdDecompressSync(bytes).toString())).toEqual(runs.map(String))
})
