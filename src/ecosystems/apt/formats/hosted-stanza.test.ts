import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../../../core/bytes.ts'
import { parseRelativePath } from '../../../core/path.ts'
import { debFixture } from '../debs.fixtures.ts'
import { readDebControl } from './deb-file.ts'
import { type HostedFile, hostedStanza, parseControl } from './hosted-stanza.ts'
import { parseStanza } from './stanza.ts'

const file: HostedFile = {
  path: parseRelativePath('pool/main/h/hello/libhello1_2.0-1_amd64.deb'),
  size: 940,
  md5: 'd41d8cd98f00b204e9800998ecf8427e',
  sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
}

async function* once(bytes: Uint8Array): ByteSource {
  yield bytes
}

const stanzaOf = (control: string) =>
  Buffer.from(hostedStanza(parseControl(Buffer.from(control)), file)).toString()

describe('hostedStanza', () => {
  it('keeps all that the package says, in its order, and adds its file', async () => {
    const deb = debFixture('libhello1_2.0-1_amd64.deb')
    const control = await readDebControl(once(deb), deb.byteLength)

    const stanza = Buffer.from(hostedStanza(parseControl(control), file)).toString()

    expect(stanza).toBe(
      `${Buffer.from(control).toString()}Filename: ${file.path}\nSize: 940\nMD5sum: ${file.md5}\nSHA1: ${file.sha1}\nSHA256: ${file.sha256}\n`,
    )
  })

  it('adds SHA-512 where it is known', () => {
    const stanza = hostedStanza(parseControl(Buffer.from('Package: a\n')), { ...file, sha512: 'cf83' })

    expect(Buffer.from(stanza).toString()).toMatch(/\nSHA256: e3b0.*\nSHA512: cf83\n$/)
  })

  it('believes nothing that a package says of its own file', () => {
    const stanza = stanzaOf(
      'Package: a\nFilename: ../evil.deb\nSIZE: 1\nSha256: 00\nDescription: b\nDescription-md5: 0\n',
    )

    expect(stanza.match(/^[\w-]+(?=:)/gm)).toEqual([
      'Package',
      'Description',
      'Filename',
      'Size',
      'MD5sum',
      'SHA1',
      'SHA256',
    ])
    expect(stanza).toContain(`\nFilename: ${file.path}\n`)
  })

  it('ends lines as it does itself', () => {
    expect(stanzaOf('\nPackage: a\r\nDescription: b\r\n c\r\n\r\n')).toMatch(
      /^Package: a\nDescription: b\n c\nFilename: /,
    )
  })

  it.each([
    ['two paragraphs', 'Package: a\n\nPackage: b\n'],
    ['two paragraphs that a line of blanks parts', 'Package: a\nDepends: c\n \t\nPackage: b\n'],
    ['a line that is no field', 'Package: a\nwhat\n'],
    ['a field that stands twice', 'Package: a\nVersion: 1\nversion: 2\n'],
    ['a control character', 'Package: a\nDepends: b\x0bPackage: c\n'],
  ])('refuses %s', (_, control) => {
    expect(() => stanzaOf(control)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })

  it('is one stanza with the right file, whatever the control file holds', () => {
    const odd = fc.array(
      fc.constantFrom('Package: a', 'Filename: x', ' ', '', ' .', '\t', ' b: c', '\r', 'X:', 'é:é'),
    )
    fc.assert(
      fc.property(odd, (lines) => {
        let stanza: string
        try {
          stanza = stanzaOf(lines.join('\n'))
        } catch (error) {
          expect(error).toMatchObject({ code: 'UPSTREAM_INVALID' })
          return
        }
        expect(stanza).not.toMatch(/\n[ \t\r]*\n/)
        expect(parseStanza(Buffer.from(stanza)).get('Filename')).toBe(file.path)
      }),
      { numRuns: 500 },
    )
  })
})
