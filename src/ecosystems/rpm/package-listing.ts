import { createHash } from 'node:crypto'
import { decompress } from '../../codec/compression.ts'
import { ByteStore } from '../../core/byte-store.ts'
import { ChantalError } from '../../core/errors.ts'
import type { NativeRecord, PackageKey, UnchangedPackage } from '../../core/model.ts'
import { isEachOnce, type RecognizedPackage } from '../../core/recognized.ts'
import type { ReadRequest } from '../ecosystem.ts'
import { formatEvr, formatNevra, nevraFileName } from './formats/nevra.ts'
import { parsePackageOwner } from './formats/package-details.ts'
import { type PackageFragment, type ScanOptions, scanPackages } from './formats/package-scanner.ts'
import { type PrimaryPackage, parsePrimaryPackage } from './formats/primary.ts'
import { ListedPackage } from './listed-package.ts'
import { openLimit, type PackageDocument, upstreamPath } from './metadata.ts'
import type { RpmOptions } from './options.ts'
import { addressElsewhere } from './package-address.ts'
import type { PackageDocuments } from './reader.ts'
import { recognize } from './recognized-package.ts'

/** Names in a warning; the rest is counted. */
const named = 5

const noStreams: readonly string[] = []

interface PrimaryList {
  readonly packages: readonly ListedPackage[]
  readonly unchanged: readonly RecognizedPackage[]
  /** How many there are, as the document says. */
  readonly declared: number | null
  /** Packages that SHA-1 vouches for. */
  readonly weak: number
  readonly misnamed: readonly string[]
}

/** The packages that primary.xml lists, and their entries in it and its companions. */
export class PackageListing {
  readonly #request: ReadRequest<RpmOptions>
  readonly #documents: PackageDocuments
  readonly #moduleStreams: ReadonlyMap<string, readonly string[]>
  readonly #store = new ByteStore()
  /** Without those that repeat another. */
  #listed: readonly ListedPackage[] = []

  constructor(
    request: ReadRequest<RpmOptions>,
    documents: PackageDocuments,
    moduleStreams: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#request = request
    this.#documents = documents
    this.#moduleStreams = moduleStreams
  }

  /** Each key once. Vendors' defects that can be lived with are warned of, with names. */
  async *read(): AsyncGenerator<ListedPackage | UnchangedPackage> {
    const unchanged = await this.#request.unchanged()
    let list = await this.#readPrimary(unchanged)
    // Which of several packages stands is told by what was passed over.
    if (list.unchanged.length > 0 && !isEachOnce(list.packages, list.unchanged))
      list = await this.#readPrimary(new Map())
    const { declared, weak, misnamed } = list
    const count = list.packages.length + list.unchanged.length
    if (declared !== null && declared !== count) {
      this.#warn(
        'METADATA_MALFORMED',
        `primary.xml says that it lists ${declared} packages, and lists ${count}`,
      )
    }
    if (weak > 0) this.#warn('WEAK_CHECKSUM', `upstream vouches for ${weak} of ${count} packages with SHA-1`)
    if (misnamed.length > 0)
      this.#warn('NAME_DIFFERS', `files are not named after their packages: ${enumerate(misnamed)}`)

    this.#listed = this.#settleDuplicates(list.packages)
    yield* this.#listed
    yield* list.unchanged
  }

  /** @param keys by the identity of what need not be read */
  async #readPrimary(keys: ReadonlyMap<string, PackageKey>): Promise<PrimaryList> {
    const packages: ListedPackage[] = []
    const unchanged: RecognizedPackage[] = []
    const misnamed: string[] = []
    let declared: number | null = null
    let weak = 0
    for await (const batch of this.#scan('primary')) {
      declared = batch.declaredCount
      for (const fragment of batch.packages) {
        const identity = identityOf(fragment)
        const known = recognize(fragment, keys.get(identity))
        if (known) {
          unchanged.push(known)
          continue
        }
        const primary = parsePrimaryPackage(fragment)
        const pkg = this.#package(primary, identity, packages.length + unchanged.length)
        const { path } = pkg.files[0]
        if (primary.checksum.algorithm === 'sha1') weak += 1
        if (!path.endsWith(nevraFileName(primary.nevra))) misnamed.push(path)
        packages.push(pkg)
      }
    }
    return { packages, unchanged, declared, weak, misnamed }
  }

  /**
   * Every document is read once more, for the entries of what is wanted alone.
   */
  async *records(wanted: ReadonlySet<PackageKey>): AsyncGenerator<NativeRecord> {
    const packages = this.#listed.filter(({ key }) => wanted.has(key))
    yield* this.#primaryRecords(packages)
    for (const document of ['filelists', 'other', 'filelists-ext'] as const) {
      if (this.#documents.has(document)) yield* this.#companionRecords(document, packages)
    }
  }

  async *#primaryRecords(packages: readonly ListedPackage[]): AsyncGenerator<NativeRecord> {
    const byIndex: ListedPackage[] = []
    for (const pkg of packages) byIndex[pkg.index] = pkg
    for await (const batch of this.#scan('primary', (index) => byIndex[index] === undefined)) {
      const fragments = keepable(batch.packages)
      for (const [position, bytes] of fragments.entries()) {
        const pkg = byIndex[batch.indexes[position] ?? -1]
        // What was passed over was not looked into: the package itself has to say that it is the one.
        if (!pkg || parsePrimaryPackage(bytes).pkgid !== pkg.pkgid) throw notTheSame()
        yield { key: pkg.key, part: 'primary', bytes }
      }
    }
  }

  async *#companionRecords(
    document: PackageDocument,
    packages: readonly ListedPackage[],
  ): AsyncGenerator<NativeRecord> {
    // A pkgid is a checksum: equal files under two paths share it. `null` once its entry was found.
    const wanted = new Map<string, ListedPackage | readonly ListedPackage[] | null>()
    for (const pkg of packages) {
      const { pkgid } = pkg
      const others = wanted.get(pkgid)
      wanted.set(pkgid, others ? [others, pkg].flat() : pkg)
    }
    const skips = (_: number, startTag: string) => {
      const pkgid = /\spkgid="([0-9A-Fa-f]+)"/.exec(startTag)?.[1]
      return pkgid !== undefined && !wanted.has(pkgid.toLowerCase())
    }
    for await (const batch of this.#scan(document, skips)) {
      for (const bytes of keepable(batch.packages)) {
        const { pkgid } = parsePackageOwner(bytes)
        for (const { key } of [wanted.get(pkgid) ?? []].flat()) yield { key, part: document, bytes }
        if (wanted.has(pkgid)) wanted.set(pkgid, null)
      }
    }
    const missing = [...wanted.values()].flat().flatMap((pkg) => (pkg ? [pkg.key] : []))
    if (missing.length > 0)
      this.#warn('METADATA_MISSING', `${document}.xml has no entry for ${enumerate(missing)}`)
  }

  #scan(document: PackageDocument, skips?: ScanOptions['skips']) {
    const found = this.#documents.get(document)
    if (!found) throw new Error(`no ${document} to scan`)
    const { record, file } = found
    const maxSize = openLimit(record, file.size, this.#request.limits)
    return scanPackages(decompress(file.stream(), { maxSize }), document, skips ? { skips } : {})
  }

  #package(primary: PrimaryPackage, identity: string, index: number): ListedPackage {
    const { nevra, checksum, packageSize } = primary
    const nevraText = formatNevra(nevra)
    const found = {
      key: nevraText as PackageKey,
      name: nevra.name,
      version: formatEvr(nevra),
      architecture: nevra.architecture,
      buildTime: primary.buildTime,
      moduleStreams: this.#moduleStreams.get(nevraText) ?? noStreams,
      identity: Buffer.from(identity, 'base64url'),
      attributes: {
        summary: primary.summary,
        license: primary.license,
        vendor: primary.vendor,
        group: primary.group,
        source_rpm: primary.sourceRpm,
        url: primary.url,
        installed_bytes: primary.installedSize,
      },
      path: this.#path(primary),
      elsewhere: this.#elsewhere(primary),
      checksum,
      size: packageSize,
      maxSize: this.#request.limits.package,
      index,
    }
    return new ListedPackage(found, this.#store)
  }

  #path(primary: PrimaryPackage) {
    const path = upstreamPath(primary.href)
    if (path.startsWith('repodata/')) {
      throw new ChantalError('UPSTREAM_INVALID', `primary.xml: a package lies among the metadata: ${path}`)
    }
    return path
  }

  #elsewhere(primary: PrimaryPackage): URL | null {
    const { href, xmlBase } = primary
    if (xmlBase !== null && this.#request.mode === 'mirror') {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `primary.xml: ${href} lies at another address (xml:base ${xmlBase})`,
        {
          hint: 'A verbatim mirror would send clients there: use `mode: filtered`, which fetches and serves such packages.',
          details: { path: href },
        },
      )
    }
    return addressElsewhere(primary)
  }

  /**
   * One file per path, and one key per package. The same entry twice is one. Two files under one path cannot both be there: the
   * newer build stands, then the greater checksum. Two files of one NEVRA are both kept, as clients do; the newest has the key
   * that is its NEVRA.
   */
  #settleDuplicates(listed: readonly ListedPackage[]): readonly ListedPackage[] {
    const byPath = new Map<string, ListedPackage>()
    const collided = new Set<string>()
    for (const pkg of listed) {
      const [{ path }] = pkg.files
      const other = byPath.get(path)
      if (other) collided.add(path)
      if (!other || isPreferred(pkg, other)) byPath.set(path, pkg)
    }
    if (collided.size > 0)
      this.#warn('DUPLICATE_PACKAGE', `listed more than once: ${enumerate([...collided])}`)

    const result: ListedPackage[] = []
    const repeated: string[] = []
    for (const group of Map.groupBy(byPath.values(), ({ key }) => key).values()) {
      const [first, ...others] = group.sort((a, b) => (isPreferred(a, b) ? -1 : 1))
      if (!first) continue
      result.push(first)
      if (others.length > 0) repeated.push(first.key)
      for (const pkg of others)
        result.push(pkg.withKey(`${pkg.key} (${pkg.files[0].path})` as PackageKey, this.#store))
    }
    if (repeated.length > 0)
      this.#warn(
        'DUPLICATE_PACKAGE',
        `several files of one name, version and architecture: ${enumerate(repeated)}`,
      )
    return result
  }

  #warn(
    code: 'WEAK_CHECKSUM' | 'METADATA_MALFORMED' | 'METADATA_MISSING' | 'NAME_DIFFERS' | 'DUPLICATE_PACKAGE',
    message: string,
  ): void {
    this.#request.reporter.report({ type: 'warning', code, message })
  }
}

/** Fragments are windows on a buffer. Where they are most of it they may keep it; a few of many would keep the document, and are copied. */
function keepable(fragments: readonly PackageFragment[]): readonly PackageFragment[] {
  const size = fragments.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const isMost = 2 * size >= (fragments[0]?.buffer.byteLength ?? 0)
  return isMost ? fragments : fragments.map((fragment) => Buffer.from(fragment))
}

function notTheSame(): ChantalError {
  return new ChantalError(
    'UPSTREAM_INVALID',
    'primary.xml reads differently where packages are passed over',
    {
      hint: 'It holds markup within packages that hides their ends.',
    },
  )
}

/**
 * A digest of the entry without the time of the file, which changes whenever a repository is copied or its metadata made anew, and
 * says nothing about the package. What depends on the package (dependencies, location, checksum) counts.
 */
function identityOf(fragment: Uint8Array): string {
  const bytes = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength)
  const start = bytes.indexOf('<time ')
  const end = bytes.indexOf('>', start)
  const hash = createHash('sha256')
  if (start < 0) hash.update(bytes)
  else {
    const tag = bytes.toString('latin1', start, end).replace(/\sfile="[^"]*"/, '')
    hash.update(bytes.subarray(0, start)).update(tag, 'latin1').update(bytes.subarray(end))
  }
  return hash.digest('base64url')
}

function isPreferred(a: ListedPackage, b: ListedPackage): boolean {
  const [left, right] = [a.builtAt?.getTime() ?? 0, b.builtAt?.getTime() ?? 0]
  if (left !== right) return left > right
  if (a.pkgid !== b.pkgid) return a.pkgid > b.pkgid
  return a.files[0].path < b.files[0].path
}

function enumerate(names: readonly string[]): string {
  const rest = names.length - named
  return names.slice(0, named).join(', ') + (rest > 0 ? `, and ${rest} more` : '')
}
