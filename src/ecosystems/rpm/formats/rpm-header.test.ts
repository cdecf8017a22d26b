import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parseMainTags, parseRpmHeaders, readRpmHeaders } from './rpm-header.ts'
import { readRpmFacts, rpmTag } from './rpm-tags.ts'

const demo = readFileSync('assets/demo/v1/Packages/demo-hello-1.0-1.noarch.rpm')

async function* inPieces(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The demo package with one 32-bit number in it changed. */
function withNumber(offset: number, number: number): Buffer {
  const bytes = Buffer.from(demo)
  bytes.writeUInt32BE(number, offset)
  return bytes
}

/** Of the signature header's intro. */
const intro = 96

describe('the head of an RPM package', () => {
  it.each([1, 7, 4096, 1 << 20])('is read in pieces of %d bytes', async (size) => {
    const headers = await readRpmHeaders(inPieces(demo, size))

    expect(readRpmFacts(parseMainTags(headers))).toEqual({
      name: 'demo-hello',
      epoch: 0,
      version: '1.0',
      release: '1',
      architecture: 'noarch',
    })
    expect(headers.mainBytes).toEqual(demo.subarray(headers.mainOffset, headers.payloadOffset))
    expect(parseMainTags(headers).string(rpmTag.payloadDigest)).toMatch(/^[0-9a-f]{64}$/)
  })

  it('says how many bytes it needs, until it has enough', () => {
    const wanted: number[] = []
    let size = 0
    for (;;) {
      const parsed = parseRpmHeaders(demo.subarray(0, size))
      if (typeof parsed !== 'number') break
      wanted.push(parsed)
      size = parsed
    }

    expect(wanted).toEqual([...wanted].sort((a, b) => a - b))
    expect(wanted).toHaveLength(3)
    expect(parseRpmHeaders(demo.subarray(0, size - 1))).toBe(size)
  })

  it.each([
    ['no package', Buffer.from('<html>'.repeat(40)), 'does not begin like'],
    ['an empty file', Buffer.alloc(0), 'ends within its headers'],
    ['one that is cut short', demo.subarray(0, 1000), 'ends within its'],
    ['too many entries', withNumber(intro + 8, 33), '33 entries'],
    ['no entry', withNumber(intro + 8, 0), '0 entries'],
    ['too much data', withNumber(intro + 12, 0xffff_ffff), 'holds 4294967295 bytes'],
    ['data that is announced and does not come', withNumber(intro + 12, 64 << 20), 'ends within'],
    ['a value of an unknown type', withNumber(intro + 16 + 16 + 4, 77), 'unknown type 77'],
    ['a value out of bounds', withNumber(intro + 16 + 16 + 8, 0x7fff_fff0), 'lies outside'],
    ['a value too long', withNumber(intro + 16 + 16 + 12, 0xffff_fff0), 'count'],
  ])('is refused for %s', async (_, bytes, reason) => {
    const failure = await readRpmHeaders(inPieces(bytes, 512)).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'UPSTREAM_INVALID' })
    expect(failure).toMatchObject({ message: expect.stringMatching(new RegExp(`${reason}|outside`)) })
  })

  it('gives headers or an error of its own, whatever bytes are changed', async () => {
    const change = fc.tuple(fc.nat(demo.length - 1), fc.nat(255))
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        const bytes = Buffer.from(demo)
        for (const [at, byte] of changes) bytes.writeUInt8(byte, at)
        const failure = await readRpmHeaders(inPieces(bytes, 4096))
          .then(
            (headers) => void parseMainTags(headers).strings(rpmTag.payloadDigest),
            (error: unknown) => error,
          )
          .catch((error: unknown) => error)
        expect(failure === undefined || isChantalError(failure, 'UPSTREAM_INVALID')).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
