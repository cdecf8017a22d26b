import { describe, expect, it } from 'vitest'
import { parseChecksum, parseSha256 } from './digest.ts'
import { isChantalError } from './errors.ts'

const invalid = expect.toSatisfy((error: unknown) => isChantalError(error, 'DIGEST_INVALID'))

describe('a checksum', () => {
  it.each([
    ['sha', 'A'.repeat(40), 'sha1'],
    ['SHA1', ` ${'a'.repeat(40)}\n`, 'sha1'],
    ['sha224', 'a'.repeat(56), 'sha224'],
    ['sha256', 'a'.repeat(64), 'sha256'],
    ['sha384', 'a'.repeat(96), 'sha384'],
    ['sha512', 'a'.repeat(128), 'sha512'],
  ])('of type %s is known, however it is written', (type, hex, algorithm) => {
    expect(parseChecksum(type, hex)).toEqual({ algorithm, hex: hex.trim().toLowerCase() })
  })

  it.each([
    ['sha256', '../../../tmp/x'],
    ['sha256', 'a'.repeat(63)],
    ['sha256', 'g'.repeat(64)],
    ['sha256', `sha256:${'a'.repeat(64)}`],
    ['sha512', 'a'.repeat(64)],
    ['crc32', 'ffffffff'],
    ['toString', 'ff'],
    ['', ''],
  ])('is not made of %j and %j', (type, hex) => {
    expect(() => parseChecksum(type, hex)).toThrow(invalid)
  })
})

describe('the name of a blob', () => {
  it.each(['', '../x', 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(64)}\n`])('is never %j', (text) => {
    expect(() => parseSha256(text)).toThrow(invalid)
  })
})
