import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { UploadedFile, UploadTerms } from '../ecosystem.ts'
import { arArchive, debFixture, tarArchive } from './debs.fixtures.ts'
import { type AptOptions, aptOptions } from './options.ts'
import { aptUploads } from './uploads.ts'

const now = new Date('2026-01-05T00:00:00Z')

function fileOf(bytes: Buffer, name = 'a.deb'): UploadedFile {
  const algorithms = ['sha256', ...aptUploads.checksums] as const
  return {
    name,
    size: bytes.byteLength,
    checksums: new Map(algorithms.map((algorithm) => [algorithm, hash(algorithm, bytes)])),
    head: (maxBytes) => bytes.subarray(0, maxBytes),
    async *read(start = 0) {
      yield bytes.subarray(start)
    },
  }
}

const debOf = (control: string) =>
  fileOf(
    arArchive([
      ['debian-binary', '2.0\n'],
      ['control.tar', tarArchive([['./control', control]])],
      ['data.tar', tarArchive([])],
    ]),
  )

function termsOf(apt: object, chosen: Partial<UploadTerms> = {}): UploadTerms<AptOptions> {
  return { suite: null, component: null, now, ...chosen, options: aptOptions.parse(apt) }
}

const terms = termsOf({ suites: ['stable', 'testing'] })
const libhello = () => fileOf(debFixture('libhello1_2.0-1_amd64.deb'), 'libhello1_2.0-1_amd64.deb')

describe('an uploaded Debian package', () => {
  it('is described as an index would, in the first suite and in main', async () => {
    const described = await aptUploads.describe(libhello(), terms)

    const { records, ...rest } = described
    expect(rest).toEqual({
      key: 'stable/main/libhello1_1:2.0-1_amd64',
      name: 'libhello1',
      version: '1:2.0-1',
      architecture: 'amd64',
      builtAt: null,
      attributes: {
        suite: 'stable',
        component: 'main',
        kind: 'deb',
        section: 'libs',
        priority: 'optional',
        source: 'hello',
        summary: 'says hello to programs',
        installed_bytes: 12 * 1024,
        indexes: ['amd64'],
      },
      path: 'pool/main/h/hello/libhello1_2.0-1_amd64.deb',
    })
    expect(records.map(({ part }) => part)).toEqual(['stanza'])
    const stanza = Buffer.from(records[0]?.bytes ?? []).toString()
    const bytes = debFixture('libhello1_2.0-1_amd64.deb')
    expect(stanza).toMatch(/^Package: libhello1\nSource: hello \(1:2\.0-1\)\nVersion: 1:2\.0-1\n/)
    expect(stanza.split('\n').slice(-7)).toEqual([
      'Filename: pool/main/h/hello/libhello1_2.0-1_amd64.deb',
      `Size: ${bytes.byteLength}`,
      `MD5sum: ${hash('md5', bytes)}`,
      `SHA1: ${hash('sha1', bytes)}`,
      `SHA256: ${hash('sha256', bytes)}`,
      `SHA512: ${hash('sha512', bytes)}`,
      '',
    ])
  })

  it('goes where its uploader says', async () => {
    const chosen = termsOf({ suites: ['stable', 'testing'] }, { suite: 'testing', component: 'updates/main' })

    const { key, path } = await aptUploads.describe(libhello(), chosen)

    expect([key, path]).toEqual([
      'testing/updates/main/libhello1_1:2.0-1_amd64',
      'pool/updates/main/h/hello/libhello1_2.0-1_amd64.deb',
    ])
  })

  it('goes to the first component that is configured', async () => {
    const { key } = await aptUploads.describe(libhello(), termsOf({ suites: ['s'], components: ['c', 'd'] }))

    expect(key).toBe('s/c/libhello1_1:2.0-1_amd64')
  })

  it('for all architectures stands once, for the publisher to list it in each', async () => {
    const file = fileOf(debFixture('hello-xz_1.0-1_all.deb'))

    const { attributes } = await aptUploads.describe(
      file,
      termsOf({ suites: ['s'], architectures: ['amd64'] }),
    )

    expect(attributes).toMatchObject({ indexes: ['all'], source: null, installed_bytes: null })
  })

  it('for the installer is known by its name, or by its type', async () => {
    const byName = await aptUploads.describe(
      fileOf(debFixture('hello-udeb_1.0-1_amd64.udeb'), 'a.udeb'),
      terms,
    )
    const byType = await aptUploads.describe(
      debOf('Package: a\nVersion: 1\nArchitecture: all\nPackage-Type: udeb\n'),
      terms,
    )

    expect([byName.attributes.kind, byName.path]).toEqual([
      'udeb',
      'pool/main/h/hello/hello-udeb_1.0-1_amd64.udeb',
    ])
    expect([byType.attributes.kind, byType.path]).toEqual(['udeb', 'pool/main/a/a/a_1_all.udeb'])
  })

  it.each([
    ['without a name', 'Version: 1\nArchitecture: all\n', 'no Package'],
    ['without a version', 'Package: a\nVersion:\nArchitecture: all\n', 'no Version'],
    ['without an architecture', 'Package: a\nVersion: 1\n', 'no Architecture'],
    ['with a name that leads out', 'Package: ../a\nVersion: 1\nArchitecture: all\n', 'no name of a package'],
    [
      'with a source that leads out',
      'Package: a\nSource: /etc\nVersion: 1\nArchitecture: all\n',
      'no name of a package',
    ],
    ['with a version of two lines', 'Package: a\nVersion: 1\n 2\nArchitecture: all\n', 'is no version'],
    [
      'with several architectures',
      'Package: a\nVersion: 1\nArchitecture: amd64 i386\n',
      'is no architecture',
    ],
  ])('is refused %s', async (_, control, reason) => {
    await expect(aptUploads.describe(debOf(control), terms)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(reason),
    })
  })

  it.each([
    ['for an unknown suite', { suites: ['stable'] }, { suite: 'testing' }, 'no suite "testing"'],
    [
      'for an unknown component',
      { suites: ['s'], components: ['main'] },
      { component: 'x' },
      'no component "x"',
    ],
    ['for a component with a blank', { suites: ['s'] }, { component: 'a b' }, 'no component "a b"'],
    [
      'for an architecture that is not published',
      { suites: ['s'], architectures: ['arm64'] },
      {},
      'is for amd64',
    ],
  ])('is refused %s', async (_, apt, chosen, reason) => {
    await expect(aptUploads.describe(libhello(), termsOf(apt, chosen))).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: expect.stringContaining(reason),
    })
  })

  it('is refused for a component that leads out', async () => {
    const chosen = termsOf({ suites: ['s'] }, { component: '../../etc' })

    await expect(aptUploads.describe(libhello(), chosen)).rejects.toMatchObject({ code: 'PATH_UNSAFE' })
  })
})
