import { describe, expect, it } from 'vitest'
import { parsePackagesStanza } from './packages-stanza.ts'

const md5 = 'd'.repeat(32)
const sha256 = 'A'.repeat(64)

const required: Readonly<Record<string, string>> = {
  Package: 'nginx',
  Version: '1:1.22-1~deb12u1',
  Architecture: 'amd64',
  Filename: 'pool/main/n/nginx.deb',
  Size: '12',
}

function stanza(changes: Readonly<Record<string, string | null>> = {}): Buffer {
  const fields = Object.entries({ ...required, ...changes })
  return Buffer.from(
    fields.map(([name, value]) => (value === null ? '' : `${name}: ${value}\n`)).join(''),
    'latin1',
  )
}

const parse = (bytes: Uint8Array) => parsePackagesStanza(bytes, 'main/binary-amd64/Packages')

describe('parsePackagesStanza', () => {
  it('reads what it says', () => {
    const found = parse(
      stanza({
        MD5sum: md5,
        SHA256: sha256,
        Section: 'contrib/web',
        Priority: 'optional',
        Source: 'nginx-source (1.22-1)',
        'Installed-Size': '1234',
        'Package-Type': 'udeb',
        'Phased-Update-Percentage': '10',
        Description: 'small server\n It is\n .\n large.',
        'Description-MD5': md5.toUpperCase(),
        Depends: 'libc6\n , b',
      }),
    )

    expect(found).toEqual({
      name: 'nginx',
      version: '1:1.22-1~deb12u1',
      architecture: 'amd64',
      filename: 'pool/main/n/nginx.deb',
      size: 12,
      checksums: [
        { algorithm: 'md5', hex: md5 },
        { algorithm: 'sha256', hex: sha256.toLowerCase() },
      ],
      section: 'contrib/web',
      priority: 'optional',
      source: 'nginx-source',
      sourceVersion: '1.22-1',
      summary: 'small server',
      descriptionMd5: md5,
      installedSize: 1234 * 1024,
      packageType: 'udeb',
      phasedPercentage: 10,
    })
  })

  it('makes do with what a package must have', () => {
    expect(parse(stanza())).toEqual({
      name: 'nginx',
      version: '1:1.22-1~deb12u1',
      architecture: 'amd64',
      filename: 'pool/main/n/nginx.deb',
      size: 12,
      checksums: [],
      section: null,
      priority: null,
      source: null,
      sourceVersion: null,
      summary: null,
      descriptionMd5: null,
      installedSize: null,
      packageType: 'deb',
      phasedPercentage: null,
    })
  })

  it.each([
    ['nginx', 'nginx', null],
    ['nginx(1.0)', 'nginx', '1.0'],
    ['nginx (1.0', null, null],
  ])('reads the source %j', (written, source, sourceVersion) => {
    expect(parse(stanza({ Source: written }))).toMatchObject({ source, sourceVersion })
  })

  it('knows nothing of numbers that it cannot read and can do without', () => {
    const found = parse(stanza({ 'Installed-Size': '1.5 MB', 'Phased-Update-Percentage': '101' }))

    expect(found).toMatchObject({ installedSize: null, phasedPercentage: null })
  })

  it.each(Object.keys(required))(
    'refuses a package without %s, and names index, package and field',
    (field) => {
      for (const value of [null, '']) {
        expect(() => parse(stanza({ [field]: value }))).toThrow(
          expect.objectContaining({
            code: 'UPSTREAM_INVALID',
            message:
              field === 'Package'
                ? 'main/binary-amd64/Packages: package without a name has no Package'
                : `main/binary-amd64/Packages: package "nginx" has no ${field}`,
          }),
        )
      }
    },
  )

  it.each([
    ['Package', '../x'],
    ['Package', 'a b'],
    ['Version', '1\n 2'],
    ['Version', '1/2'],
    ['Architecture', 'amd64\n Suite: evil'],
    ['Architecture', 'a\u0085b'],
    ['Package', 'caf\xe9'],
    ['Version', '1\\2'],
    ['Size', '-1'],
    ['Size', '1e3'],
    ['Size', '9'.repeat(16)],
    ['SHA256', md5],
    ['MD5sum', 'x'],
    ['Package-Type', 'a/b'],
  ])('refuses the %s %j', (field, value) => {
    expect(() => parse(stanza({ [field]: value }))).toThrow(
      expect.objectContaining({
        code: 'UPSTREAM_INVALID',
        message: expect.stringMatching(new RegExp(`^main/binary-amd64/Packages: package ".*${field}`)),
      }),
    )
  })

  it('refuses a field that is given twice, unless it says the same', () => {
    expect(parse(Buffer.concat([stanza(), Buffer.from('SIZE: 12\n')])).size).toBe(12)
    expect(() => parse(Buffer.concat([stanza(), Buffer.from(' \nPackage: evil\n')]))).toThrow('Package twice')
  })

  it('reads a package whose other fields are of no encoding', () => {
    const found = parse(stanza({ Maintainer: 'J\xe9r\xf4me', Description: 'caf\xe9' }))

    expect(found.summary).toBe('caf\ufffd')
  })
})
