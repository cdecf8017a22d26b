import { describe, expect, it } from 'vitest'
import { parseRelease, type ReleaseFile } from './release.ts'
import { serializeRelease } from './release-writer.ts'

const md5 = 'd41d8cd98f00b204e9800998ecf8427e'
const sha1 = 'a'.repeat(40)
const sha256 = 'b'.repeat(64)
const sha512 = 'c'.repeat(128)

const parse = (text: string) => parseRelease(text, 'Release')
const refused = (message: string) =>
  expect.objectContaining({ code: 'UPSTREAM_INVALID', message: expect.stringContaining(message) })

describe('parseRelease', () => {
  it('reads the fields', () => {
    const release = parse(
      [
        'Origin: Debian',
        'Label: Debian-Security',
        'Suite: oldstable-security',
        'Codename: bookworm-security',
        'Date: Sat, 21 Nov 2026 00:53:02 UTC',
        'valid-until: Sat, 28 Nov 2026 00:53:02 UTC',
        'Acquire-By-Hash: yes',
        'Architectures: all amd64  arm64',
        'Components: updates/main updates/contrib',
        'MD5Sum:',
        'SHA256:',
        ` ${sha256} 0 updates/main/binary-amd64/Packages`,
        '',
      ].join('\n'),
    )

    expect(release).toMatchObject({
      origin: 'Debian',
      label: 'Debian-Security',
      suite: 'oldstable-security',
      codename: 'bookworm-security',
      date: new Date('2026-11-21T00:53:02Z'),
      validUntil: new Date('2026-11-28T00:53:02Z'),
      acquireByHash: true,
      architectures: ['all', 'amd64', 'arm64'],
      components: ['updates/main', 'updates/contrib'],
    })
    expect(release.get('acquire-by-hash')).toBe('yes')
    expect(release.fields.map(({ name }) => name)).toEqual([
      'Origin',
      'Label',
      'Suite',
      'Codename',
      'Date',
      'valid-until',
      'Acquire-By-Hash',
      'Architectures',
      'Components',
    ])
  })

  it('says of what is not there that it is not', () => {
    expect(parse('Suite:\nDate: yesterday\n')).toMatchObject({
      suite: null,
      codename: null,
      origin: null,
      label: null,
      date: null,
      validUntil: null,
      acquireByHash: false,
      hasSeparateAllIndex: false,
      components: [],
      architectures: [],
      files: new Map(),
    })
  })

  it('merges the sections, wherever they start', () => {
    const { files } = parse(
      `MD5Sum:\n ${md5} 12 b/Packages\n\t${md5}\t 0\tPackages \nSHA1: ${sha1} 12 b/Packages\r\n` +
        `SHA256: \n  ${sha256.toUpperCase()} 00000012 b/Packages\n \n ${sha256} 7 x\nsha512: ${sha512} 7 x`,
    )

    expect([...files]).toEqual([
      [
        'b/Packages',
        {
          path: 'b/Packages',
          size: 12,
          checksums: [
            { algorithm: 'md5', hex: md5 },
            { algorithm: 'sha1', hex: sha1 },
            { algorithm: 'sha256', hex: sha256 },
          ],
        },
      ],
      ['Packages', { path: 'Packages', size: 0, checksums: [{ algorithm: 'md5', hex: md5 }] }],
      [
        'x',
        {
          path: 'x',
          size: 7,
          checksums: [
            { algorithm: 'sha256', hex: sha256 },
            { algorithm: 'sha512', hex: sha512 },
          ],
        },
      ],
    ])
  })

  it('passes over a file that is listed twice with the same facts', () => {
    const { files } = parse(`SHA256:\n ${sha256} 1 x\n ${sha256} 1 x\n`)

    expect(files.get('x')?.checksums).toEqual([{ algorithm: 'sha256', hex: sha256 }])
  })

  it('reads the first stanza only', () => {
    const release = parse(`\r\nSuite: a\n\nSuite: b\nSHA256:\n ${sha256} 1 x\n`)

    expect(release.suite).toBe('a')
    expect(release.files.size).toBe(0)
  })

  it('takes no checksums for components where the line MD5Sum is missing', () => {
    expect(parse(`Components: main contrib\n ${md5} 6105 Release\n`).components).toEqual(['main', 'contrib'])
  })

  it.each([
    ['all amd64', '', true],
    ['all amd64', 'Packages', false],
    ['all amd64', 'Sources Packages', false],
    ['all amd64', 'Sources', true],
    ['amd64', '', false],
  ])(
    'knows of architectures %j, not supporting all for %j, whether binary-all is to be read',
    (all, no, expected) => {
      const text = `Architectures: ${all}\nNo-Support-for-Architecture-all: ${no}\n`
      expect(parse(text).hasSeparateAllIndex).toBe(expected)
    },
  )

  it.each([
    ['nothing', '', 'no fields'],
    ['blank lines', '\n\n', 'no fields'],
    ['a web page', '<!DOCTYPE html>\n<a href="https://x">\n', 'no field'],
    ['no path', `SHA256:\n ${sha256} 12\n`, 'checksum size path'],
    ['no size', `SHA256:\n ${sha256} Packages\n`, 'checksum size path'],
    ['a negative size', `SHA256:\n ${sha256} -1 x\n`, 'checksum size path'],
    ['an endless size', `SHA256:\n ${sha256} ${'9'.repeat(20)} x\n`, 'checksum size path'],
    ['a path with a blank', `SHA256:\n ${sha256} 1 x y\n`, 'checksum size path'],
    ['a path with a blank of another alphabet', `SHA256:\n ${sha256} 1 x\u2028y\n`, 'checksum size path'],
    ['a checksum of another length', `SHA256:\n ${sha1} 1 x\n`, 'unusable checksum'],
    ['two sizes', `SHA256:\n ${sha256} 1 x\nSHA1:\n ${sha1} 2 x\n`, 'two sizes: 2 and 1'],
    ['two checksums', `SHA256:\n ${sha256} 1 x\n ${'d'.repeat(64)} 1 x\n`, 'two sha256 checksums'],
    ['a Valid-Until of no known form', 'Valid-Until: tomorrow\n', 'Valid-Until'],
    ['a Valid-Until of another zone', 'Valid-Until: Sat, 28 Nov 2026 00:53:02 CET\n', 'Valid-Until'],
  ])('refuses %s', (_, text, message) => expect(() => parse(text)).toThrow(refused(message)))

  it('reads many files in a short time', () => {
    const lines = Array.from({ length: 50_000 }, (_, at) => ` ${sha256} ${at} main/by/${at}`)

    expect(parse(`SHA256:\n${lines.join('\n')}\n`).files.size).toBe(50_000)
  })
})

describe('serializeRelease', () => {
  const file = (path: string, size: number, isStrong = false): ReleaseFile => ({
    path,
    size,
    checksums: [
      { algorithm: 'md5', hex: md5 },
      { algorithm: 'sha256', hex: sha256 },
      ...(isStrong ? [{ algorithm: 'sha512', hex: sha512 } as const] : []),
    ],
  })

  it('writes the fields, then the files', () => {
    const text = serializeRelease(
      [
        ['Suite', 'stable'],
        ['Description', 'a\n\nb'],
      ],
      [file('main/binary-amd64/Packages', 1234567), file('x', 0, true)],
    )

    expect(text).toBe(
      'Suite: stable\nDescription: a\n .\n b\n' +
        `SHA256:\n ${sha256}  1234567 main/binary-amd64/Packages\n ${sha256}        0 x\n` +
        `SHA512:\n ${sha512}        0 x\n`,
    )
  })

  it('writes what it can read', () => {
    const files = [file('a', 10 ** 9, true), file('b', 0, true)]

    const release = parse(serializeRelease([['Suite', 'x']], files))

    expect([...release.files.values()].map(({ path, size }) => [path, size])).toEqual([
      ['a', 10 ** 9],
      ['b', 0],
    ])
    expect(release.fields).toEqual([{ name: 'Suite', value: 'x' }])
  })

  it('lists nothing where there are no files', () => {
    expect(serializeRelease([['Suite', 'x']], [])).toBe('Suite: x\nSHA256:\n')
  })

  it.each(['a b', 'a\nSuite: evil', 'a\u2028b', 'a\u0000'])('refuses the path %j', (path) =>
    expect(() => serializeRelease([], [file(path, 1)])).toThrow(refused('cannot list')),
  )

  it('refuses a checksum section among the fields', () => {
    expect(() => serializeRelease([['sha256', 'x']], [])).toThrow(refused('twice'))
  })

  it('refuses a file without SHA-256', () => {
    expect(() => serializeRelease([], [{ path: 'x', size: 1, checksums: [] }])).toThrow(
      expect.objectContaining({ code: 'CHECKSUM_MISSING' }),
    )
  })
})
