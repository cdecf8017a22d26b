import { RunBuffers } from '../../codec/run-buffers.ts'
import type { MadeRun } from '../../codec/run-compression.ts'
import { endsRun, maxRunBytes } from '../../codec/run-ends.ts'
import { escapeXmlAttribute } from '../../codec/xml.ts'
import type { PackageKey, StoredPackage } from '../../core/model.ts'
import { joinRelativePath, type RelativePath } from '../../core/path.ts'
import type { RpmAttributes } from './attributes.ts'
import { rewriteChecksum } from './formats/checksum-rewriter.ts'
import { rewriteLocation } from './formats/location-rewriter.ts'
import { repodataFooter, repodataHeader } from './formats/repodata-document.ts'
import type { PackageDocument } from './metadata.ts'
import type { RpmMember } from './publisher.ts'
import { parseEvr } from './version.ts'

type Stored = StoredPackage<RpmAttributes>

/** Packages in a run, on average: fewer are compressed anew for one that changed, more are smaller together. About 100 KiB. */
const runPackages: Readonly<Record<PackageDocument, number>> = {
  primary: 48,
  filelists: 16,
  other: 48,
  'filelists-ext': 16,
}

/**
 * One of the documents that have an entry per package, from native records in key order, member by member. An entry is upstream's own,
 * byte for byte, but for where the package lies and for checksums too weak to publish. A package of which upstream had no entry gets an empty one.
 * Comes in runs, for `compressRuns`, that end where packages' keys say so: what changes leaves the runs of other packages as they are.
 * @param visit is told of each package, where the document is `primary`
 */
export async function* generateDocument(
  members: readonly RpmMember[],
  document: PackageDocument,
  visit: (pkg: Stored, member: RpmMember) => Promise<void> | void = () => {},
): AsyncGenerator<Uint8Array | MadeRun> {
  const count = members.reduce((sum, { packageCount }) => sum + packageCount, 0)
  yield Buffer.from(repodataHeader(document, count))
  const runs = new RunBuffers()
  for (const member of members) {
    const packages = new PackageCursor(member)
    try {
      for await (const { key, bytes } of member.records(document, borrowed)) {
        let entry = bytes
        // Whole packages are read only where an entry has to be made or changed.
        if (entry === null || document === 'primary' || hasWeakChecksum(entry)) {
          const pkg = await packages.at(key)
          if (document === 'primary') await visit(pkg, member)
          entry = entry ? adjust(entry, pkg, document, pathIn(member, pkg)) : emptyEntry(pkg, document)
        }
        runs.add(entry, lineFeed, originOf(entry, document))
        const isFull = runs.size >= maxRunBytes || endsRun(key, runPackages[document], runs.length)
        if (isFull) yield runs.take()
      }
    } finally {
      await packages.close()
    }
  }
  if (runs.size > 0) yield runs.take()
  yield Buffer.from(repodataFooter(document))
}

function pathIn({ folder }: RpmMember, { files: [{ path }] }: Stored): RelativePath {
  return folder === null ? path : joinRelativePath(folder, path)
}

const lineFeed = 0x0a
/** Each entry is copied into its run before the next is asked for. */
const borrowed = { areBorrowed: true }

/** Whether any package has this part: filelists-ext is rare, and an empty one is of no use. */
export async function hasRecords(member: RpmMember, document: PackageDocument): Promise<boolean> {
  for await (const { bytes } of member.records(document, borrowed)) if (bytes) return true
  return false
}

/** Goes through the packages, which come in key order, as far as it is asked to. */
class PackageCursor {
  readonly #member: RpmMember
  #packages: AsyncIterator<Stored> | null = null

  constructor(member: RpmMember) {
    this.#member = member
  }

  async at(key: PackageKey): Promise<Stored> {
    this.#packages ??= this.#member.packages()[Symbol.asyncIterator]()
    while (true) {
      const { done, value } = await this.#packages.next()
      if (done) throw new Error(`${key} has a native record and is no package`)
      if (value.key === key) return value
    }
  }

  async close(): Promise<void> {
    await this.#packages?.return?.()
  }
}

/** Whether the `pkgid` of an entry is shorter than a SHA-256, or is not found where it should be. */
function hasWeakChecksum(bytes: Uint8Array): boolean {
  if (startsWithSha256(bytes)) return false
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024)).toString(
    'latin1',
  )
  const id = /^<[^>]*?\spkgid="([0-9a-f]*)"/.exec(start)?.[1]
  return id === undefined || id.length < 64
}

/**
 * Files and changelogs are as the package has them: its checksum stands for an entry that may be many times as long. Other entries
 * say what the repository says of the package.
 */
function originOf(entry: Uint8Array, document: PackageDocument): string | null {
  if (document === 'primary' || !startsWithSha256(entry)) return null
  const pkgid = entry.subarray(usualStart.length, usualStart.length + 64)
  return `${document} ${Buffer.from(pkgid.buffer, pkgid.byteOffset, 64).toString('latin1')}`
}

const usualStart = Buffer.from('<package pkgid="')

/** As nearly every entry begins. */
function startsWithSha256(bytes: Uint8Array): boolean {
  const end = usualStart.length + 64
  if (bytes[end] !== quote || !usualStart.equals(bytes.subarray(0, usualStart.length))) return false
  for (let index = usualStart.length; index < end; index++) {
    const byte = bytes[index] ?? 0
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) return false
  }
  return true
}

const quote = 0x22

function adjust(bytes: Uint8Array, pkg: Stored, document: PackageDocument, path: RelativePath): Uint8Array {
  let entry = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [file] = pkg.files
  if (
    document === 'primary' &&
    (!entry.includes(`href="${escapeXmlAttribute(path)}"`) || entry.includes('xml:base'))
  ) {
    entry = rewriteLocation(entry, path)
  }
  return isWeak(pkg) ? rewriteChecksum(entry, document, file.digest) : entry
}

/** Clients that follow FIPS refuse these; what they are checked against must not be one. */
function isWeak({ attributes }: Stored): boolean {
  return /^(md5|sha1|sha224):/.test(attributes.checksum)
}

function emptyEntry(pkg: Stored, document: PackageDocument): Buffer {
  if (document === 'primary') throw new Error(`${pkg.key} has no primary record`)
  const { epoch, version, release } = parseEvr(pkg.version)
  const pkgid = isWeak(pkg) ? pkg.files[0].digest : pkg.attributes.checksum.replace(/^.*:/, '')
  const text = (value: string | null) => escapeXmlAttribute(value ?? '')
  return Buffer.from(
    `<package pkgid="${pkgid}" name="${text(pkg.name)}" arch="${text(pkg.architecture)}">\n` +
      `  <version epoch="${text(epoch)}" ver="${text(version)}" rel="${text(release)}"/>\n</package>`,
  )
}
