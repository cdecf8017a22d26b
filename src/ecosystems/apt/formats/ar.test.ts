import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ByteSource, readWhole } from '../../../core/bytes.ts'
import { isChantalError } from '../../../core/errors.ts'
import { arArchive, arHeader } from '../debs.fixtures.ts'
import { readAr } from './ar.ts'

async function* inChunks(bytes: Uint8Array, size = 64 * 1024): ByteSource {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size)
}

async function readAll(
  bytes: Uint8Array,
  chunkSize?: number,
): Promise<readonly (readonly [string, string])[]> {
  const members: (readonly [string, string])[] = []
  for await (const { name, body } of readAr(inChunks(bytes, chunkSize), bytes.byteLength))
    members.push([name, Buffer.from(await readWhole(body)).toString()])
  return members
}

describe('readAr', () => {
  const archive = arArchive([
    ['odd', 'abc'],
    ['ends-with-slash/', 'ab'],
    ['empty', ''],
    ['large', 'x'.repeat(200_001)],
  ])
  const members = [
    ['odd', 'abc'],
    ['ends-with-slash', 'ab'],
    ['empty', ''],
    ['large', 'x'.repeat(200_001)],
  ]

  it('reads members, however the bytes arrive', async () => {
    expect(await readAll(archive)).toEqual(members)
    expect(await readAll(archive, 7)).toEqual(members)
  })

  it('does without the padding after the last member', async () => {
    expect(await readAll(archive.subarray(0, -1))).toEqual(members)
  })

  it('passes over bodies that nobody reads, or not to their end', async () => {
    const names: string[] = []
    for await (const { name, body } of readAr(inChunks(archive), archive.byteLength)) {
      names.push(name)
      if (name === 'large') for await (const _ of body) break
    }

    expect(names).toEqual(members.map(([name]) => name))
  })

  it('reads no further than it is asked to', async () => {
    let given = 0
    const source = async function* () {
      for await (const chunk of inChunks(archive, 4096)) {
        given += 1
        yield chunk
      }
    }

    for await (const { name } of readAr(source(), archive.byteLength)) if (name === 'odd') break

    expect(given).toBe(1)
  })

  it.each([
    ['no archive', Buffer.from('PK\x03\x04 what is this'), 'it begins with'],
    ['nothing', Buffer.alloc(0), 'it begins with ""'],
    ['an end within a header', arArchive([['a', '']]).subarray(0, 30), 'ends within a header, at byte 8'],
    ['a header without its end mark', corrupted(arHeader('a', '0'), 58), 'no member header at byte 8'],
    ['a negative size', headerOf('-60'), 'has the size "-60", expected decimal digits'],
    ['an empty size', headerOf(''), 'has the size ""'],
    ['a size of other digits', headerOf('0x10'), 'has the size "0x10"'],
    ['a size beyond the file', headerOf('9999999999'), 'it has 9999999999 bytes where 0 are left'],
    ['a name without letters', Buffer.from(`!<arch>\n${arHeader('', '0')}`), 'is called ""'],
    [
      'a name with a control character',
      Buffer.from(`!<arch>\n${arHeader('a\x01b', '0')}`),
      'is called "a\\u0001b"',
    ],
  ])('refuses %s', async (_, bytes, reason) => {
    await expect(readAll(bytes)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(reason),
    })
  })

  it('refuses a source that ends before the size that was stated', async () => {
    const cut = inChunks(archive.subarray(0, 1000))
    const read = async () => {
      for await (const { body } of readAr(cut, archive.byteLength)) await readWhole(body)
    }

    await expect(read()).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining('ends within member large'),
    })
  })

  it('ends on any input, with members or with an error', async () => {
    const small = arArchive([
      ['debian-binary', '2.0\n'],
      ['control.tar', 'abc'],
      ['data.tar', 'x'.repeat(70)],
    ])
    const damage = fc.array(fc.tuple(fc.nat(small.byteLength - 1), fc.nat(255)), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(small.byteLength), async (changes, end) => {
        const damaged = Buffer.from(small)
        for (const [at, byte] of changes) damaged[at] = byte
        const found = await readAll(damaged.subarray(0, end)).catch((error: unknown) => {
          expect(isChantalError(error, 'UPSTREAM_INVALID')).toBe(true)
          return []
        })
        expect(found.length).toBeLessThanOrEqual(small.byteLength / 60)
      }),
      { numRuns: 500 },
    )
  })
})

function headerOf(size: string): Buffer {
  return Buffer.from(`!<arch>\n${arHeader('a', size)}`)
}

function corrupted(header: string, at: number): Buffer {
  return Buffer.from(`!<arch>\n${header.slice(0, at)}?${header.slice(at + 1)}`)
}
