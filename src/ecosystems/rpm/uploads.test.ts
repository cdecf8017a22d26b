import { createHash, hash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rpmCorpus } from '../../../tests/support/rpm-corpus.ts'
import type { UploadedFile, UploadTerms } from '../ecosystem.ts'
import { parsePrimaryPackage } from './formats/primary.ts'
import { rpmSignatureTag, rpmTag } from './formats/rpm-tags.ts'
import { type RpmOptions, rpmOptions } from './options.ts'
import { headersOf, unsignedPackage, withSeals } from './signed-packages.fixtures.ts'
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

const { sha1, sha256, sha3With256, size, longSize, md5 } = rpmSignatureTag
const hashed = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest()

/** The demonstration's package as another builder might have written it. */
function built(change: {
  /** Of the main header: tags that it does not have. */
  readonly without?: readonly number[]
  /** Entries of the signature header, of what the main header and all from there on hash to. */
  readonly seals: (
    header: Uint8Array,
    all: Uint8Array,
  ) => Readonly<Record<number, Uint8Array | string | number>>
}): Buffer {
  const content = Buffer.from(unsignedPackage)
  const { mainOffset, payloadOffset } = headersOf(content)
  for (const tag of change.without ?? []) renumber(content, mainOffset, tag)
  return withSeals(
    change.seals(content.subarray(mainOffset, payloadOffset), content.subarray(mainOffset)),
    content,
  )
}

/** Gives a tag a number that means nothing. */
function renumber(content: Buffer, header: number, tag: number): void {
  const entries = Array.from(
    { length: content.readUInt32BE(header + 8) },
    (_, index) => header + 16 + index * 16,
  )
  const entry = entries.find((at) => content.readUInt32BE(at) === tag)
  if (entry === undefined) throw new Error(`the header has no tag ${tag}`)
  content.writeUInt32BE(9_999, entry)
}

function changedAt(content: Uint8Array, at: number): Buffer {
  const changed = Buffer.from(content)
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
  return changed
}

const inSummary = (content: Buffer) => content.indexOf('Says hello')
const inPayload = (content: Buffer) => content.length - 1
const { payloadDigest } = rpmTag
const hex = (algorithm: string, bytes: Uint8Array) => hashed(algorithm, bytes).toString('hex')

describe('an uploaded RPM package that was damaged', () => {
  const withSha1 = built({ seals: (header) => ({ [sha1]: hex('sha1', header) }) })
  const withSha3 = built({
    seals: (header) => ({ [sha1]: 'is not looked at', [sha3With256]: hex('sha3-256', header) }),
  })
  const withMd5 = built({
    without: [payloadDigest],
    seals: (header, all) => ({ [sha256]: hex('sha256', header), [md5]: hashed('md5', all) }),
  })
  const withLongSize = built({ without: [payloadDigest], seals: (_, { length }) => ({ [longSize]: length }) })
  const withSize = built({ without: [payloadDigest], seals: (_, { length }) => ({ [size]: length }) })
  const withNothing = built({ without: [payloadDigest], seals: () => ({ 1007: 1 }) })

  it.each([
    ['as rpm builds it', unsignedPackage],
    ['with SHA-1 of its header', withSha1],
    ['with SHA3-256 of its header', withSha3],
    ['with MD5 of it all', withMd5],
    ['with its size', withSize],
    ['with its size as 64 bits', withLongSize],
    ['with nothing that says what it should be', withNothing],
  ])('is accepted while it was not: %s', async (_, content) => {
    await expect(rpmUploads.describe(fileOf(content), terms)).resolves.toMatchObject({ name: 'demo-hello' })
  })

  it.each([
    [
      'cut off, by its size',
      unsignedPackage.subarray(0, -1),
      /it is cut off: .* have \d+ bytes, and have \d+/,
    ],
    ['cut off, by its size as 64 bits', withLongSize.subarray(0, -1), /it is cut off/],
    ['cut off, by the digest of its payload', withSha1.subarray(0, -1), /its payload is not/],
    ['cut off, by MD5', withMd5.subarray(0, -1), /its payload is not/],
    ['longer, by its size', Buffer.concat([unsignedPackage, Buffer.of(0)]), /there is more/],
    [
      'of another header, by SHA-256',
      changedAt(unsignedPackage, inSummary(unsignedPackage)),
      /sha256 is to be/,
    ],
    ['of another header, by SHA-1', changedAt(withSha1, inSummary(withSha1)), /sha1 is to be/],
    ['of another header, by SHA3-256', changedAt(withSha3, inSummary(withSha3)), /sha3-256 is to be/],
    ['of another payload', changedAt(unsignedPackage, inPayload(unsignedPackage)), /its payload is not/],
    ['of another payload, by MD5', changedAt(withMd5, inPayload(withMd5)), /its payload is not/],
  ])('is refused: %s', async (_, content, message) => {
    await expect(rpmUploads.describe(fileOf(content), terms)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringMatching(message),
    })
  })

  it('is none of a corpus of real ones', { skip: !existsSync(rpmCorpus), timeout: 60_000 }, async () => {
    for (const path of globSync('**/*.rpm', { cwd: rpmCorpus })) {
      const content = readFileSync(join(rpmCorpus, path))
      await expect(rpmUploads.describe(fileOf(content), terms), path).resolves.toBeDefined()
    }
  })
})

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

  it('of a module says that no hosted repository describes it', async () => {
    const modular = readFileSync('tests/fixtures/rpm-headers-modular/chantal-modular-1-1.noarch.rpm')
    const { shortcoming } = await rpmUploads.describe(fileOf(modular), terms)
    const other = await rpmUploads.describe(fileOf(fixture('chantal-plain-1-1.noarch.rpm')), terms)

    expect(shortcoming).toMatch(/^of modules, .* dnf does not install them/)
    expect(other).not.toHaveProperty('shortcoming')
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
