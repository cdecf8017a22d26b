import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { constants, createZstdCompress, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ByteSource, readWhole } from '../core/bytes.ts'
import {
  type CompressionFormat,
  compress,
  compressedExtension,
  decompress,
  detectCompression,
  type WrittenFormat,
} from './compression.ts'

const lines = Array.from({ length: 400 }, (_, index) => `package-${index} ${(index * 7919) % 1009}\n`).join(
  '',
)
const text = Buffer.from(lines)
const noLimit = { maxSize: Number.MAX_SAFE_INTEGER }

// Made of the same text by bzip2, xz and xz --format=lzma: see fixtures/README.md.
const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url))

const samples: readonly [CompressionFormat, Buffer][] = [
  ['gzip', gzipSync(text)],
  ['zstd', zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ['xz', fixture('lines.xz')],
  ['lzma', fixture('lines.lzma')],
  ['bzip2', fixture('lines.bz2')],
]
/** `.lzma` files have neither checksum nor concatenation, and hide what follows them. */
const checkedSamples = samples.filter(([format]) => format !== 'lzma')
const skippableFrame = Buffer.concat([
  Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]),
  Buffer.from('hello'),
])

async function* inChunks(bytes: Uint8Array, size = 64 * 1024): ByteSource {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size)
}

const unpack = async (bytes: Uint8Array, size?: number) =>
  Buffer.from(await readWhole(decompress(inChunks(bytes, size), noLimit)))

const outcome = (bytes: Uint8Array, size?: number) =>
  unpack(bytes, size).then(
    () => 'accepted',
    (error) => `${error.code} ${error.details?.format} ${error.details?.fault}`,
  )

describe('detectCompression', () => {
  it.each(samples)('knows %s by its first bytes', (format, bytes) => {
    expect(detectCompression(bytes)).toBe(format)
  })

  it('takes a zstd skippable frame for zstd', () => {
    expect(detectCompression(skippableFrame)).toBe('zstd')
  })

  it.each([
    ['nothing', ''],
    ['XML', '<?xml version="1.0" encoding="UTF-8"?>'],
    ['a stanza', 'Package: bash\nVersion: 5.1\n'],
    ['JSON', '{"meta": {"api-version": "1.0"}}'],
    ['a word that begins as bzip2', 'BZh, said the bee to the flower'],
    ['zeros', '\0'.repeat(64)],
  ])('takes %s for not compressed', (_, head) => {
    expect(detectCompression(Buffer.from(head))).toBe('none')
  })
})

describe('decompress', () => {
  it.each(samples)('gives what was compressed as %s', async (_, bytes) => {
    expect(await unpack(bytes)).toEqual(text)
  })

  it('reads bzip2 blocks of all bytes, runs of every kind, and long runs over many blocks', async () => {
    const bytes = await unpack(fixture('runs.bz2'), 100)

    expect(hash('sha256', bytes)).toBe('d822c0e1868cbd1a237cfbd422876090eb515308c5d7d711c235cf6ea15d67d5')
  })

  it.each(samples)('reads %s that arrives byte by byte', async (_, bytes) => {
    expect(await unpack(bytes, 1)).toEqual(text)
  })

  it.each(checkedSamples)('reads concatenated %s as one, wherever it is cut', async (_, bytes) => {
    const three = Buffer.concat([bytes, bytes, bytes])

    expect(await unpack(three)).toEqual(Buffer.concat([text, text, text]))
    expect(await unpack(three, 7)).toEqual(Buffer.concat([text, text, text]))
  })

  it.each(samples)('detects truncated %s', async (format, bytes) => {
    const ends = new Set([1, 5, 9, 30, 100, Math.floor(bytes.length / 2)].map((left) => bytes.length - left))
    for (const end of [...ends, 15]) {
      expect(await outcome(bytes.subarray(0, end))).toBe(`UPSTREAM_INVALID ${format} truncated`)
    }
  })

  it.each(checkedSamples)('detects a second part of %s that is cut short', async (format, bytes) => {
    for (const size of [undefined, 1]) {
      const cut = Buffer.concat([bytes, bytes.subarray(0, bytes.length - 3)])
      expect(await outcome(cut, size)).toBe(`UPSTREAM_INVALID ${format} truncated`)
    }
  })

  it.each(checkedSamples)('detects every flipped bit in the middle of %s', async (format, bytes) => {
    for (let at = 40; at < bytes.length - 20; at += Math.ceil(bytes.length / 40)) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ 0x10
      expect(await outcome(flipped), `at ${at}`).toContain(`UPSTREAM_INVALID ${format}`)
    }
  })

  it.each(checkedSamples)('refuses garbage after %s, wherever it is cut', async (format, bytes) => {
    const data = Buffer.concat([bytes, Buffer.from('<!-- served by mirror 7 -->')])
    for (const size of [undefined, bytes.length, 1]) {
      expect(await outcome(data, size)).toMatch(new RegExp(`^UPSTREAM_INVALID ${format} (trailing|corrupt)`))
    }
  })

  it('allows zeros after gzip members, and nothing after these', async () => {
    const padded = Buffer.concat([gzipSync(text), Buffer.alloc(512)])

    expect(await unpack(padded)).toEqual(text)
    expect(await unpack(padded, 1)).toEqual(text)
    for (const size of [undefined, 1, 512]) {
      expect(await outcome(Buffer.concat([padded, Buffer.from('x')]), size)).toBe(
        'UPSTREAM_INVALID gzip trailing',
      )
    }
  })

  it('allows stream padding between and after xz streams', async () => {
    const xz = fixture('lines.xz')

    expect(await unpack(Buffer.concat([xz, Buffer.alloc(8), xz, Buffer.alloc(4)]))).toEqual(
      Buffer.concat([text, text]),
    )
  })

  it.each([undefined, 1, 3])(
    'passes over zstd skippable frames at the start, between and at the end (chunks of %s)',
    async (size) => {
      const empty = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
      const frame = zstdCompressSync(text)
      const data = Buffer.concat([skippableFrame, empty, frame, skippableFrame, frame, empty])

      expect(await unpack(data, size)).toEqual(Buffer.concat([text, text]))
      expect(await outcome(Buffer.concat([frame, skippableFrame.subarray(0, 10)]), size)).toBe(
        'UPSTREAM_INVALID zstd truncated',
      )
    },
  )

  it('reads zstd frames that do not say how large they are', async () => {
    const stream = createZstdCompress()
    stream.write(text)
    stream.end()
    const frame = Buffer.concat(await stream.toArray())

    // The bits of the header that announce the size of the content, and a size of the window in its place.
    expect(frame.readUInt8(4) & 0b1110_0000).toBe(0)
    expect(await unpack(frame)).toEqual(text)
    expect(await unpack(frame, 1)).toEqual(text)
  })

  it('gives nothing for an empty source', async () => {
    expect(await unpack(Buffer.alloc(0))).toHaveLength(0)
  })

  it('passes what is not compressed', async () => {
    expect(await unpack(text, 5)).toEqual(text)
  })

  it.each([
    ['gzip', () => gzipSync(Buffer.alloc(64 * 2 ** 20))],
    ['zstd', () => zstdCompressSync(Buffer.alloc(64 * 2 ** 20))],
    ['xz', () => fixture('zeros-64m.xz')],
    ['bzip2', () => fixture('zeros-64m.bz2')],
    ['lzma', () => fixture('zeros-64m.lzma')],
    ['none', () => Buffer.alloc(3 * 2 ** 20)],
  ] as const)('stops a %s bomb at the limit', async (_, make) => {
    const maxSize = 2 * 2 ** 20
    let size = 0

    const reading = (async () => {
      for await (const chunk of decompress(inChunks(make(), 4096), { maxSize })) size += chunk.byteLength
    })()

    await expect(reading).rejects.toMatchObject({ code: 'SIZE_LIMIT', details: { limit_bytes: maxSize } })
    expect(size).toBeLessThanOrEqual(maxSize)
  })

  it.each(samples)('allows %s of exactly the limit', async (_, bytes) => {
    const read = (maxSize: number) => readWhole(decompress(inChunks(bytes), { maxSize }))

    await expect(read(text.length)).resolves.toHaveLength(text.length)
    await expect(read(text.length - 1)).rejects.toMatchObject({ code: 'SIZE_LIMIT' })
  })

  it.each([...samples, ['none', text] as const])(
    'passes an error of the source of %s on as it is',
    async (_, bytes) => {
      const failure = new Error('the line broke')
      async function* broken(): ByteSource {
        yield bytes.subarray(0, 200)
        throw failure
      }

      await expect(readWhole(decompress(broken(), noLimit))).rejects.toBe(failure)
    },
  )

  it.each([...samples, ['none', text] as const])(
    'ends the source of %s when its reader stops',
    async (_, bytes) => {
      let isEnded = false
      async function* endless(): ByteSource {
        try {
          while (true) yield bytes
        } finally {
          isEnded = true
        }
      }

      for await (const chunk of decompress(endless(), noLimit)) {
        expect(chunk.byteLength).toBeGreaterThan(0)
        break
      }

      expect(isEnded).toBe(true)
    },
  )

  it.each(checkedSamples)('ends the source of %s when its bytes are wrong', async (_, bytes) => {
    let isEnded = false
    async function* source(): ByteSource {
      try {
        yield bytes.subarray(0, 60)
        while (true) yield Buffer.alloc(5000, 0xa5)
      } finally {
        isEnded = true
      }
    }

    await expect(readWhole(decompress(source(), noLimit))).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    expect(isEnded).toBe(true)
  })
})

describe('compress', () => {
  const formats: WrittenFormat[] = ['gzip', 'zstd', 'xz']

  it.each(formats)('round-trips any bytes in any chunks as %s', async (format) => {
    const chunksOfBytes = fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(chunksOfBytes, fc.integer({ min: 1, max: 999 }), async (chunks, size) => {
        const packed = await readWhole(compress(format, chunks))

        expect(detectCompression(packed)).toBe(format)
        expect(await unpack(packed, size)).toEqual(Buffer.concat(chunks))
      }),
      { numRuns: 30 },
    )
  })

  it.each(formats)('gives equal bytes for equal input as %s, however it is cut', async (format) => {
    const whole = await readWhole(compress(format, [text]))
    const cut = await readWhole(compress(format, inChunks(text, 100)))

    expect(Buffer.from(cut)).toEqual(Buffer.from(whole))
  })

  it('writes neither name nor time into gzip', async () => {
    const packed = await readWhole(compress('gzip', [text]))

    expect([...packed.subarray(3, 8)]).toEqual([0, 0, 0, 0, 0])
  })

  it.each(formats)('compresses better at a higher level of %s', async (format) => {
    const fast = await readWhole(compress(format, [text], { level: 1 }))
    const small = await readWhole(compress(format, [text], { level: 9 }))

    expect(small.byteLength).toBeLessThan(fast.byteLength)
  })

  it.each(formats)('ends the source of %s when its reader stops', async (format) => {
    let isEnded = false
    async function* endless(): ByteSource {
      try {
        for (let seed = 1; ; seed = (seed * 48271) % 2147483647) yield Buffer.from(`${seed}`.repeat(500))
      } finally {
        isEnded = true
      }
    }

    for await (const chunk of compress(format, endless())) if (chunk.byteLength > 0) break

    expect(isEnded).toBe(true)
  })

  it.each([
    ['none', ''],
    ['gzip', '.gz'],
    ['xz', '.xz'],
    ['lzma', '.lzma'],
    ['zstd', '.zst'],
    ['bzip2', '.bz2'],
  ] as const)('names the extension of %s “%s”', (format, extension) => {
    expect(compressedExtension(format)).toBe(extension)
  })
})

const corpus = '../shared/corpus/rpm/createrepo-c-testdata/compressed_files'
describe.skipIf(!existsSync(corpus))(
  'files of createrepo_c (skipped where the corpus is not at hand)',
  () => {
    const plain = existsSync(corpus) ? readFileSync(`${corpus}/01_plain.txt`) : Buffer.alloc(0)

    it.each(['.gz', '.bz2', '.xz', '.zst', '.foo1', '.foo2', '.foo3', '.foo5'])(
      'reads 01_plain*%s',
      async (end) => {
        const name = end.startsWith('.foo') ? `01_plain${end}` : `01_plain.txt${end}`
        expect(await unpack(readFileSync(`${corpus}/${name}`))).toEqual(plain)
      },
    )

    it.each(['.gz', '.bz2', '.xz', '.zst', ''])('reads the empty 00_plain.txt%s', async (end) => {
      expect(await unpack(readFileSync(`${corpus}/00_plain.txt${end}`))).toHaveLength(0)
    })
  },
)
