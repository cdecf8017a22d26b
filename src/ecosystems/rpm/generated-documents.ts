import type { DocumentPiece } from '../../codec/runs/document-writer.ts'
import type { EntryPage } from '../../codec/runs/entry-ids.ts'
import { entryPageOf } from '../../codec/runs/entry-page.ts'
import { MadeRecords } from '../../codec/runs/made-records.ts'
import { packagePages, wholePackages } from '../../codec/runs/package-pages.ts'
import type { Run, RunCollector } from '../../codec/runs/run-collector.ts'
import { escapeXmlAttribute } from '../../codec/xml.ts'
import type { PackageKey, PackageOutline, StoredPackage } from '../../core/model.ts'
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
  filelists: 8,
  other: 48,
  'filelists-ext': 8,
}

/** Packages that follow one another in every document. */
export interface ListedPage extends EntryPage {
  readonly member: RpmMember
  readonly keys: readonly PackageKey[]
}

/**
 * The packages of a tree, member by member, each in key order: as `primary` lists them, all other documents do, which are written at
 * the same time and wait for it.
 */
export class ListedPackages {
  readonly members: readonly RpmMember[]
  readonly #pages: ListedPage[] = []
  #isComplete = false
  #failure: { readonly error: unknown } | null = null
  #changed = Promise.withResolvers<void>()

  constructor(members: readonly RpmMember[]) {
    this.members = members
  }

  get count(): number {
    return this.members.reduce((sum, { packageCount }) => sum + packageCount, 0)
  }

  /** @throws what another document failed with */
  add(page: ListedPage): void {
    if (this.#failure) throw this.#failure.error
    this.#pages.push(page)
    this.#notify()
  }

  end(): void {
    this.#isComplete = true
    this.#notify()
  }

  /** Ends all that read or add: one document of a tree is nothing without the others. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#notify()
  }

  /** From the first on, each as soon as it is there. @throws what another document failed with */
  async *pages(): AsyncGenerator<ListedPage> {
    for (let index = 0; ; index++) {
      while (index === this.#pages.length && !this.#isComplete && !this.#failure) await this.#changed.promise
      if (this.#failure) throw this.#failure.error
      const page = this.#pages[index]
      if (!page) return
      yield page
    }
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
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
  visit: (pkg: PackageOutline) => void,
): AsyncGenerator<DocumentPiece> {
  yield Buffer.from(repodataHeader('primary', listed.count))
  for (const member of listed.members) {
    await using records = recordsOf(member, 'primary', runs)
    for await (const { outlines, whole } of packagePages(member, runs.hasNone)) {
      const page = { member, ...entryPageOf(outlines), keys: outlines.map(({ key }) => key) }
      for (const outline of outlines) visit(outline)
      listed.add(page)
      yield* addPage({ ...page, whole, records }, 'primary', runs)
    }
  }
  listed.end()
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
  await using opened = new AsyncDisposableStack()
  const byMember = new Map<RpmMember, MadeRecords>()
  for await (const page of listed.pages()) {
    const { member } = page
    const records = byMember.get(member) ?? opened.use(recordsOf(member, document, runs))
    byMember.set(member, records)
    const whole = (keys: readonly PackageKey[]) => wholePackages(member, keys)
    yield* addPage({ ...page, whole, records }, document, runs)
  }
  const last = await runs.take()
  if (last) yield last
  yield Buffer.from(repodataFooter(document))
}

interface Page extends ListedPage {
  readonly whole: (keys: readonly PackageKey[]) => Promise<ReadonlyMap<PackageKey, Stored>>
  readonly records: MadeRecords
}

function recordsOf(member: RpmMember, document: PackageDocument, runs: RunCollector): MadeRecords {
  return new MadeRecords((terms) => member.records(document, terms), runs.hasNone)
}

async function* addPage(page: Page, document: PackageDocument, runs: RunCollector): AsyncGenerator<Run> {
  const { keys, records } = page
  const positions = runs.findAll(page)
  const made = keys.filter((_, index) => (positions[index] ?? -1) < 0)
  records.want(made)
  // Whole packages are read only where an entry takes more than its record.
  let found: Promise<ReadonlyMap<PackageKey, Stored>> | null = null
  const make = async (key: PackageKey): Promise<Uint8Array> => {
    const record = await records.of(key)
    if (record && document !== 'primary' && !hasWeakChecksum(record)) return record
    found ??= page.whole(made)
    const pkg = (await found).get(key) ?? unknown(key)
    return record ? adjust(record, pkg, document, pathIn(page.member, pkg)) : emptyEntry(pkg, document)
  }
  for (let index = 0; index < keys.length; ) {
    const position = positions[index] ?? -1
    const repeated = position < 0 ? 0 : runs.repeatRun(page, index, position)
    if (repeated === 0) {
      const pending =
        position < 0
          ? runs.add(page, index, await make(keys[index] as PackageKey), lineFeed)
          : runs.repeat(page, index, position)
      if (pending) await pending
    }
    index += Math.max(repeated, 1)
    if (!runs.isEnded) continue
    const run = await runs.take()
    if (run) yield run
  }
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
    `<package pkgid="${text(pkgid)}" name="${text(pkg.name)}" arch="${text(pkg.architecture)}">\n` +
      `  <version epoch="${text(epoch)}" ver="${text(version)}" rel="${text(release)}"/>\n</package>`,
  )
}
