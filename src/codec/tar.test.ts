import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ByteSource, readWhole } from '../core/bytes.ts'
import { isChantalError } from '../core/errors.ts'
import { readTar, type TarEntry } from './tar.ts'

const fixture = (format: string) =>
  gunzipSync(readFileSync(new URL(`fixtures/names.${format}.tar.gz`, import.meta.url)))

async function* inChunks(bytes: Uint8Array, size = 64 * 1024): ByteSource {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size)
}

interface Read extends Omit<TarEntry, 'body'> {
  readonly text: string
}

async function readAll(bytes: Uint8Array, chunkSize?: number): Promise<readonly Read[]> {
  const entries: Read[] = []
  for await (const { body, ...entry } of readTar(inChunks(bytes, chunkSize)))
    entries.push({ ...entry, text: Buffer.from(await readWhole(body)).toString() })
  return entries
}

interface Fields {
  readonly name?: string
  readonly size?: string
  readonly flag?: string
  readonly checksum?: string
}

/** A header block with a right checksum, unless another is given. */
function header({ name = 'file', size = '0', flag = '0', checksum }: Fields): Buffer {
  const block = Buffer.alloc(512)
  block.write(name, 0, 'latin1')
  block.write(size, 124, 'latin1')
  block.write(' '.repeat(8), 148, 'latin1')
  block.write(flag, 156, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0`, 148, 'latin1')
  return block
}

function entry(fields: Fields, body: string): Buffer {
  const bytes = Buffer.from(body)
  const padding = Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)
  return Buffer.concat([header({ size: bytes.byteLength.toString(8), ...fields }), bytes, padding])
}

describe('readTar', () => {
  const long = `${'folder-with-a-long-name/'.repeat(6)}file`

  it.each(['gnu', 'pax', 'ustar'])('reads what tar writes as %s, however it is cut', async (format) => {
    const expected: readonly Read[] = [
      { name: 'empty/', type: 'directory', size: 0, text: '' },
      { name: 'kilobyte', type: 'file', size: 1000, text: 'x'.repeat(1000) },
      { name: 'link', type: 'link', size: 0, text: '' },
      { name: 'short', type: 'file', size: 6, text: 'short\n' },
      { name: 'größe', type: 'file', size: 7, text: 'umlaut\n' },
      { name: long, type: 'file', size: 5, text: 'long\n' },
    ]

    expect(await readAll(fixture(format))).toEqual(expected)
    expect(await readAll(fixture(format), 1)).toEqual(expected)
    expect(await readAll(fixture(format), 700)).toEqual(expected)
  })

  it('passes over bodies that nobody reads', async () => {
    const names: string[] = []
    for await (const { name } of readTar(inChunks(fixture('gnu')))) names.push(name)

    expect(names).toEqual(['empty/', 'kilobyte', 'link', 'short', 'größe', long])
  })

  it('passes over the rest of a body that was read in part', async () => {
    const archive = Buffer.concat([
      entry({ name: 'large' }, 'x'.repeat(300_000)),
      entry({ name: 'after' }, 'y'),
    ])
    const names: string[] = []

    for await (const { name, body } of readTar(inChunks(archive))) {
      names.push(name)
      for await (const _ of body) break
    }

    expect(names).toEqual(['large', 'after'])
  })

  it('reads binary sizes, and sizes that pax overrules', async () => {
    const binary = Buffer.concat([Buffer.from([0x80]), Buffer.alloc(10), Buffer.from([3])])
    const archive = Buffer.concat([
      entry({ name: 'binary', size: binary.toString('latin1') }, 'abc'),
      entry({ name: 'records', flag: 'x' }, '9 size=4\n14 comment=no\n'),
      entry({ name: 'pax', size: '0' }, 'abcd'),
      entry({ name: 'plain' }, 'abcde'),
    ])

    expect((await readAll(archive)).map(({ name, text }) => [name, text])).toEqual([
      ['binary', 'abc'],
      ['pax', 'abcd'],
      ['plain', 'abcde'],
    ])
  })

  it('says of devices and unknown kinds that they are something else', async () => {
    const archive = Buffer.concat([header({ name: 'null', flag: '3' }), header({ name: 'new', flag: 'Z' })])

    expect((await readAll(archive)).map(({ type }) => type)).toEqual(['other', 'other'])
  })

  it('reads an empty archive, and nothing after the end mark', async () => {
    expect(await readAll(Buffer.alloc(0))).toEqual([])
    expect(await readAll(Buffer.concat([Buffer.alloc(1024), entry({}, 'no')]))).toEqual([])
  })

  it.each([
    ['a wrong checksum', header({ checksum: '000001\0' }), 'does not match its checksum'],
    ['a checksum that is no number', header({ checksum: 'sum' }), 'is no octal number'],
    ['no tar archive', Buffer.alloc(512, 'a'), 'is no octal number'],
    ['a negative size', header({ size: '-1' }), 'is no octal number'],
    [
      'an impossible size',
      header({ size: '\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' }),
      'impossible',
    ],
    ['an end within a header', entry({}, 'a').subarray(0, 100), 'within a header'],
    ['an end within an entry', entry({}, 'a').subarray(0, 700), 'within an entry'],
    ['an end within a long entry', entry({ size: '7777777777' }, 'a'), 'within an entry'],
    ['a name of many bytes', entry({ flag: 'L', size: '77777777' }, 'a'), 'takes 16777215 bytes'],
    ['a pax record that is too long', entry({ flag: 'x' }, '99 path=a\n'), 'wrong length'],
    ['a pax record without a length', entry({ flag: 'x' }, 'path=a\n'), 'wrong length'],
    ['a pax record of length 0', entry({ flag: 'x' }, '0 path=a\n'), 'wrong length'],
    ['a pax record shorter than its own length', entry({ flag: 'x' }, '3\n '), 'wrong length'],
    ['a negative size by pax', entry({ flag: 'x' }, '11 size=-4\n'), 'impossible'],
  ])('refuses %s', async (_, archive, reason) => {
    await expect(readAll(archive)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(reason),
      details: { format: 'tar' },
    })
  })

  it('ends on any input, with entries or with an error', async () => {
    const archive = fixture('pax')
    const damage = fc.array(fc.tuple(fc.nat(archive.byteLength - 1), fc.nat(255)), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(archive.byteLength), async (changes, end) => {
        const damaged = Buffer.from(archive)
        for (const [at, byte] of changes) damaged[at] = byte
        const entries = await readAll(damaged.subarray(0, end)).catch((error: unknown) => {
          expect(isChantalError(error, 'UPSTREAM_INVALID')).toBe(true)
          return []
        })
        expect(entries.length).toBeLessThanOrEqual(archive.byteLength / 512)
      }),
      { numRuns: 200 },
    )
  })
})
