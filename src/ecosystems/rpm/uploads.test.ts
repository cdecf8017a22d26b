import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { UploadedFile, UploadTerms } from '../ecosystem.ts'
import { parsePrimaryPackage } from './formats/primary.ts'
import { type RpmOptions, rpmOptions } from './options.ts'
import { rpmUploads } from './uploads.ts'

const terms: UploadTerms<RpmOptions> = {
  options: rpmOptions.parse({}),
  suite: null,
  component: null,
  now: new Date('2026-02-01T00:00:00Z'),
}

const fixture = (name: string) => readFileSync(`tests/fixtures/rpm-headers/${name}`)

function fileOf(bytes: Buffer): UploadedFile {
  return {
    name: 'whatever it is called.rpm',
    size: bytes.byteLength,
    checksums: new Map([['sha256', hash('sha256', bytes)]]),
    head: (maxBytes) => bytes.subarray(0, maxBytes),
    async *read(start = 0) {
      yield bytes.subarray(start)
    },
  }
}

/** The package with another text of the same length in its header. */
function renamed(from: string, to: string): Buffer {
  const text = fixture('chantal-plain-1-1.noarch.rpm').toString('latin1')
  return Buffer.from(text.replaceAll(from, to), 'latin1')
}

describe('an uploaded RPM package', () => {
  it('has the key, the path and the facts that its header gives', async () => {
    const bytes = fixture('chantal-odd-1.0~rc1-2^git1.noarch.rpm')
    const { records, ...described } = await rpmUploads.describe(fileOf(bytes), terms)

    expect(described).toEqual({
      key: 'chantal-odd-3:1.0~rc1-2^git1.noarch',
      name: 'chantal-odd',
      version: '3:1.0~rc1-2^git1',
      architecture: 'noarch',
      builtAt: new Date('2026-01-05T00:00:00Z'),
      attributes: {
        summary: 'Odd & <small>',
        license: 'MIT',
        vendor: '"Vendor" & Sons',
        group: 'Development/Tools',
        source_rpm: 'chantal-odd-1.0~rc1-2^git1.src.rpm',
        url: 'https://example.org/?a=1&b=2',
        installed_bytes: 13,
        checksum: `sha256:${hash('sha256', bytes)}`,
      },
      path: 'Packages/c/chantal-odd-1.0~rc1-2^git1.noarch.rpm',
    })
    expect(records.map(({ part }) => part)).toEqual(['primary', 'filelists', 'other'])
    const primary = parsePrimaryPackage(records[0]?.bytes ?? Buffer.alloc(0))
    expect(primary).toMatchObject({
      href: described.path,
      pkgid: hash('sha256', bytes),
      packageSize: bytes.byteLength,
      fileTime: terms.now.getTime() / 1000,
    })
  })

  it('is a source package where its header names no source', async () => {
    const { key, path, attributes } = await rpmUploads.describe(
      fileOf(fixture('chantal-plain-1-1.src.rpm')),
      terms,
    )

    expect([key, path, attributes.source_rpm, attributes.vendor]).toEqual([
      'chantal-plain-0:1-1.src',
      'Packages/c/chantal-plain-1-1.src.rpm',
      null,
      null,
    ])
  })

  it.each([
    ['that leads out', '../../../xyzw'],
    ['with a blank', 'chantal plain'],
    ['that is hidden', '.hantal-plain'],
  ])('is refused with a name %s', async (_, name) => {
    await expect(rpmUploads.describe(fileOf(renamed('chantal-plain', name)), terms)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(JSON.stringify(name)),
    })
  })

  it('is refused where it is none', async () => {
    const file = fileOf(Buffer.from('no package at all'.repeat(100)))

    await expect(rpmUploads.describe(file, terms)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it.each([{ suite: 'stable' }, { component: 'main' }])('is refused with %s', async (place) => {
    const file = fileOf(fixture('chantal-plain-1-1.noarch.rpm'))

    await expect(rpmUploads.describe(file, { ...terms, ...place })).rejects.toMatchObject({
      code: 'USAGE_INVALID',
    })
  })
})
