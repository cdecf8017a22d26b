import { describe, expect, it } from 'vitest'
import { holdsOpenPgp } from './openpgp-file.ts'

const page = '<!doctype html><title>Not here</title>'
const armor = (kind: string) => `-----BEGIN PGP ${kind}-----\n\nwsBz\n-----END PGP ${kind}-----\n`

describe('holdsOpenPgp', () => {
  it.each([
    ['an armored signature', armor('SIGNATURE'), true],
    ['an armored key', armor('PUBLIC KEY BLOCK'), true],
    ['an armored key behind a byte order mark', `\ufeff${armor('PUBLIC KEY BLOCK')}`, true],
    ['an armored key behind words', `pub 4096R\r\n${armor('PUBLIC KEY BLOCK')}`, true],
    ['a signature of the older form', Buffer.from([0x89, 0x01, 0x33, 0x04]), true],
    ['a signature of the newer form', Buffer.from([0xc2, 0xc0, 0x73, 0x04]), true],
    ['a key of the older form', Buffer.from([0x99, 0x01, 0x0d, 0x04]), true],
    ['a page', page, false],
    ['a page behind a byte order mark', `\ufeff${page}`, false],
    ['a page in UTF-16', Buffer.from(`\ufeff${page}`, 'utf16le'), false],
    ['a page that speaks of armor', `${page}<pre> -----BEGIN PGP SIGNATURE-----</pre>`, false],
    ['nothing', '', false],
  ])('tells of %s', (_, content, expected) => {
    expect(holdsOpenPgp(Buffer.from(content as string))).toBe(expected)
  })
})
