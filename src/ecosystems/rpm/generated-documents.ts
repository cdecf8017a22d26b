import type { DocumentPiece } from '../../codec/runs/document-writer.ts'
import { type EntryPage, entryIdBytes } from '../../codec/runs/entry-ids.ts'
import { entryPageOf } from '../../codec/runs/entry-page.ts'
import { MadeRecords } from '../../codec/runs/made-records.ts'
import type { Run, RunCollector } from '../../codec/runs/run-collector.ts'
import { escapeXmlAttribute } from '../../codec/xml.ts'
import type { PackageKey, StoredPackage } from '../../core/model.ts'
import { inPages } from '../../core/pages.ts'
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
export const runPackages: Readonly<Record<PackageDocument, number>> = {
  primary: 48,
  filelists: 16,
  other: 48,
  'filelists-ext': 16,
}

/** Packages whose entries are made together. */
const primaryPage = 1000
/** Of these no more than keys are held. */
const keysPage = 4000

/** The packages of a tree, member by member, each in key order: as `primary` lists them, all other documents do. */
export class ListedPackages {
  readonly members: readonly { readonly member: RpmMember; readonly keys: PackageKey[] }[]
  readonly #ids: Buffer[] = []

  constructor(members: readonly RpmMember[]) {
    this.members = members.map((member) => ({ member, keys: [] }))
  }

  get count(): number {
    return this.members.reduce((sum, { member }) => sum + member.packageCount, 0)
  }

  /** @param ids one after another */
  add(ids: Buffer): void {
    this.#ids.push(ids)
  }

  /** The ids of all packages. */
  ids(): Buffer {
    return Buffer.concat(this.#ids)
  }
}

/**
 * `primary`, from native records. An entry is upstream's own, byte for byte, but for where the package lies and for a checksum too weak to
 * publish. What `runs` knows of an earlier document is not made again.
 * @param listed filled, for the other documents
 * @param visit is told of each package
 */
export async function* generatePrimary(
  listed: ListedPackages,
  runs: RunCollector,
  visit: (pkg: Stored, member: RpmMember) => Promise<void> | void,
): AsyncGenerator<DocumentPiece> {
  yield Buffer.from(repodataHeader('primary', listed.count))
  for (const { member, keys } of listed.members) {
    await using records = recordsOf(member, 'primary', runs)
    for await (const packages of inPages(member.packages(), primaryPage)) {
      const { ids } = entryPageOf(packages)
      for (const pkg of packages) {
        keys.push(pkg.key)
        await visit(pkg, member)
      }
      listed.add(ids)
      const byKey = new Map(packages.map((pkg) => [pkg.key, pkg]))
      const packageOf = (key: PackageKey) => byKey.get(key) ?? unknown(key)
      const page = { keys: packages.map(({ key }) => key), ids, packageOf, records }
      yield* addPage(page, member, 'primary', runs)
    }
  }
  const last = await runs.take()
  if (last) yield last
  yield Buffer.from(repodataFooter('primary'))
}

/** As {@link generatePrimary}, any other of the documents that have an entry per package. A package of which upstream had none gets an empty one. */
export async function* generateDocument(
  listed: ListedPackages,
  document: Exclude<PackageDocument, 'primary'>,
  runs: RunCollector,
): AsyncGenerator<DocumentPiece> {
  yield Buffer.from(repodataHeader(document, listed.count))
  const ids = listed.ids()
  let position = 0
  for (const { member, keys: all } of listed.members) {
    await using records = recordsOf(member, document, runs)
    for (let start = 0; start < all.length; start += keysPage) {
      const keys = all.slice(start, start + keysPage)
      const page = ids.subarray(position * entryIdBytes, (position + keys.length) * entryIdBytes)
      position += keys.length
      // Whole packages are read only where an entry has to be made or changed.
      const found = new Map<PackageKey, Stored>()
      const packageOf = async (key: PackageKey) => {
        const known = found.get(key)
        if (known) return known
        const next = keys.slice(keys.indexOf(key), keys.indexOf(key) + primaryPage)
        for await (const pkg of member.packages(next)) found.set(pkg.key, pkg)
        return found.get(key) ?? unknown(key)
      }
      yield* addPage({ keys, ids: page, packageOf, records }, member, document, runs)
    }
  }
  const last = await runs.take()
  if (last) yield last
  yield Buffer.from(repodataFooter(document))
}

interface Page extends EntryPage {
  readonly keys: readonly PackageKey[]
  readonly packageOf: (key: PackageKey) => Stored | Promise<Stored>
  readonly records: MadeRecords
}

function recordsOf(member: RpmMember, document: PackageDocument, runs: RunCollector): MadeRecords {
  return new MadeRecords((terms) => member.records(document, terms), runs.hasNone)
}

async function* addPage(
  page: Page,
  member: RpmMember,
  document: PackageDocument,
  runs: RunCollector,
): AsyncGenerator<Run> {
  const { keys, records } = page
  const positions = keys.map((_, index) => runs.find(page, index))
  records.want(keys.filter((_, index) => (positions[index] ?? -1) < 0))
  for (const [index, key] of keys.entries()) {
    const position = positions[index] ?? -1
    const pending =
      position < 0
        ? runs.add(page, index, await entryOf(await records.of(key), key, document, member, page), lineFeed)
        : runs.repeat(page, index, position)
    if (pending) await pending
    if (!runs.isEnded) continue
    const run = await runs.take()
    if (run) yield run
  }
}

async function entryOf(
  record: Uint8Array | null,
  key: PackageKey,
  document: PackageDocument,
  member: RpmMember,
  { packageOf }: Page,
): Promise<Uint8Array> {
  if (record && document !== 'primary' && !hasWeakChecksum(record)) return record
  const pkg = await packageOf(key)
  return record ? adjust(record, pkg, document, pathIn(member, pkg)) : emptyEntry(pkg, document)
}

function unknown(key: PackageKey): never {
  throw new Error(`${key} is listed and is no package`)
}

function pathIn({ folder }: RpmMember, { files: [{ path }] }: Stored): RelativePath {
  return folder === null ? path : joinRelativePath(folder, path)
}

const lineFeed = 0x0a

/** Whether any package has this part: filelists-ext is rare, and an empty one is of no use. */
export async function hasRecords(member: RpmMember, document: PackageDocument): Promise<boolean> {
  for await (const { bytes } of member.records(document, { areBorrowed: true })) if (bytes) return true
  return false
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
