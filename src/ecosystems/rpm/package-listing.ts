import { createHash } from 'node:crypto'
import { decompress } from '../../codec/compression.ts'
import type { Expectation } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import type { NativeRecord, PackageKey, UpstreamPackage } from '../../core/model.ts'
import type { ReadRequest } from '../ecosystem.ts'
import type { RpmAttributes } from './attributes.ts'
import { formatEvr, formatNevra, nevraFileName } from './formats/nevra.ts'
import { parsePackageOwner } from './formats/package-details.ts'
import { type ScanOptions, scanPackages } from './formats/package-scanner.ts'
import { type PrimaryPackage, parsePrimaryPackage } from './formats/primary.ts'
import { openLimit, type PackageDocument, upstreamPath } from './metadata.ts'
import type { RpmOptions } from './options.ts'
import type { PackageDocuments } from './reader.ts'

type Listed = UpstreamPackage<RpmAttributes>

/** Names in a warning; the rest is counted. */
const named = 5

/** The packages that primary.xml lists, and their entries in it and its companions. */
export class PackageListing {
  readonly #request: ReadRequest<RpmOptions>
  readonly #documents: PackageDocuments
  readonly #moduleStreams: ReadonlyMap<string, readonly string[]>
  /** The key of each entry of primary, in its order; `null` for one that repeats another. */
  readonly #order: (PackageKey | null)[] = []
  /** A pkgid is a checksum: equal files under two paths share it. */
  readonly #keysByPkgid = new Map<string, readonly PackageKey[]>()

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
  async *read(): AsyncGenerator<Listed> {
    const listed: { readonly pkg: Listed; readonly index: number; readonly pkgid: string }[] = []
    let count = 0
    let declared: number | null = null
    const misnamed: string[] = []
    let weak = 0
    for await (const batch of this.#scan('primary')) {
      declared = batch.declaredCount
      for (const fragment of batch.packages) {
        const primary = parsePrimaryPackage(fragment)
        const pkg = this.#package(primary, fragment)
        if (primary.checksum.algorithm === 'sha1') weak += 1
        if (!pkg.files[0].path.endsWith(nevraFileName(primary.nevra))) misnamed.push(pkg.files[0].path)
        listed.push({ pkg, index: count, pkgid: primary.pkgid })
        count += 1
      }
    }
    if (declared !== null && declared !== count) {
      this.#warn(
        'METADATA_MALFORMED',
        `primary.xml says that it lists ${declared} packages, and lists ${count}`,
      )
    }
    if (weak > 0) this.#warn('WEAK_CHECKSUM', `upstream vouches for ${weak} of ${count} packages with SHA-1`)
    if (misnamed.length > 0)
      this.#warn('NAME_DIFFERS', `files are not named after their packages: ${enumerate(misnamed)}`)

    const settled = this.#settleDuplicates(listed)
    this.#order.length = count
    this.#order.fill(null)
    for (const { pkg, index, pkgid } of settled) {
      this.#order[index] = pkg.key
      this.#keysByPkgid.set(pkgid, [...(this.#keysByPkgid.get(pkgid) ?? []), pkg.key])
    }
    for (const { pkg } of settled) yield pkg
  }

  /**
   * Every document is read once more, for the entries of what is wanted alone. They are copies: a window would keep the quarter of a
   * megabyte around it, and a few of many would keep the document.
   */
  async *records(wanted: ReadonlySet<PackageKey>): AsyncGenerator<NativeRecord> {
    yield* this.#primaryRecords(wanted)
    for (const document of ['filelists', 'other', 'filelists-ext'] as const) {
      if (this.#documents.has(document)) yield* this.#companionRecords(document, wanted)
    }
  }

  async *#primaryRecords(wanted: ReadonlySet<PackageKey>): AsyncGenerator<NativeRecord> {
    const keyOf = (index: number) => {
      const key = this.#order[index]
      return key && wanted.has(key) ? key : null
    }
    for await (const batch of this.#scan('primary', (index) => keyOf(index) === null)) {
      for (const [position, bytes] of batch.packages.entries()) {
        const key = keyOf(batch.indexes[position] ?? -1)
        // What was passed over was not looked into: the package itself has to say that it is the one.
        if (!key || !this.#keysByPkgid.get(parsePrimaryPackage(bytes).pkgid)?.includes(key))
          throw notTheSame()
        yield { key, part: 'primary', bytes: Buffer.from(bytes) }
      }
    }
  }

  async *#companionRecords(
    document: PackageDocument,
    wanted: ReadonlySet<PackageKey>,
  ): AsyncGenerator<NativeRecord> {
    const keysOf = (pkgid: string) => (this.#keysByPkgid.get(pkgid) ?? []).filter((key) => wanted.has(key))
    const skips = (_: number, startTag: string) => {
      const pkgid = /\spkgid="([0-9A-Fa-f]+)"/.exec(startTag)?.[1]
      return pkgid !== undefined && keysOf(pkgid.toLowerCase()).length === 0
    }
    const seen = new Set<PackageKey>()
    for await (const batch of this.#scan(document, skips)) {
      for (const bytes of batch.packages) {
        for (const key of keysOf(parsePackageOwner(bytes).pkgid)) {
          if (seen.has(key)) continue
          seen.add(key)
          yield { key, part: document, bytes: Buffer.from(bytes) }
        }
      }
    }
    const missing = [...wanted].filter((key) => !seen.has(key))
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

  #package(primary: PrimaryPackage, fragment: Uint8Array): Listed {
    const { nevra, checksum } = primary
    const nevraText = formatNevra(nevra)
    const modules = this.#moduleStreams.get(nevraText) ?? []
    return {
      key: nevraText as PackageKey,
      name: nevra.name,
      version: formatEvr(nevra),
      architecture: nevra.architecture,
      builtAt: primary.buildTime === null ? null : new Date(primary.buildTime * 1000),
      identity: identityOf(fragment),
      // A module stream is a line of versions of its own: the newest of another stream does not replace it.
      versionGroup: [nevra.name, nevra.architecture, ...[...modules].sort()].join(' '),
      attributes: {
        summary: primary.summary,
        license: primary.license,
        vendor: primary.vendor,
        group: primary.group,
        source_rpm: primary.sourceRpm,
        url: primary.url,
        installed_bytes: primary.installedSize,
        checksum: `${checksum.algorithm}:${checksum.hex}`,
      },
      files: [
        { path: this.#path(primary), location: this.#location(primary), expect: this.#expectation(primary) },
      ],
    }
  }

  #path(primary: PrimaryPackage) {
    const path = upstreamPath(primary.href)
    if (path.startsWith('repodata/')) {
      throw new ChantalError('UPSTREAM_INVALID', `primary.xml: a package lies among the metadata: ${path}`)
    }
    return path
  }

  #location(primary: PrimaryPackage): string | URL {
    const { xmlBase, href } = primary
    if (xmlBase === null) return upstreamPath(href)
    if (this.#request.mode === 'mirror') {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `primary.xml: ${href} lies at another address (xml:base ${xmlBase})`,
        {
          hint: 'A verbatim mirror would send clients there: use `mode: filtered`, which fetches and serves such packages.',
          details: { path: href },
        },
      )
    }
    const base = URL.parse(xmlBase)
    if (base?.protocol !== 'http:' && base?.protocol !== 'https:') {
      throw new ChantalError('PATH_UNSAFE', `primary.xml: ${href} has an xml:base that is no web address`, {
        details: { path: href },
      })
    }
    if (!base.pathname.endsWith('/')) base.pathname += '/'
    return new URL(upstreamPath(href).split('/').map(encodeURIComponent).join('/'), base)
  }

  #expectation({ checksum, packageSize }: PrimaryPackage): Expectation {
    const { limits } = this.#request
    if (packageSize === null) return { checksums: [checksum], maxSize: limits.package }
    return { checksums: [checksum], size: packageSize, maxSize: packageSize }
  }

  /**
   * One file per path, and one key per package. The same entry twice is one. Two files under one path cannot both be there: the
   * newer build stands, then the greater checksum. Two files of one NEVRA are both kept, as clients do; the newest has the key
   * that is its NEVRA.
   */
  #settleDuplicates<Entry extends { readonly pkg: Listed; readonly pkgid: string }>(
    listed: readonly Entry[],
  ): readonly Entry[] {
    const byPath = new Map<string, Entry>()
    const collided: string[] = []
    for (const entry of listed) {
      const [{ path }] = entry.pkg.files
      const other = byPath.get(path)
      if (other) collided.push(path)
      if (!other || isPreferred(entry, other)) byPath.set(path, entry)
    }
    if (collided.length > 0) this.#warn('DUPLICATE_PACKAGE', `listed more than once: ${enumerate(collided)}`)

    const result: Entry[] = []
    const repeated: string[] = []
    for (const group of Map.groupBy(byPath.values(), ({ pkg }) => pkg.key).values()) {
      const [first, ...others] = group.sort((a, b) => (isPreferred(a, b) ? -1 : 1))
      if (!first) continue
      result.push(first)
      for (const { pkg, ...rest } of others) {
        repeated.push(pkg.key)
        result.push({
          ...rest,
          pkg: { ...pkg, key: `${pkg.key} (${pkg.files[0].path})` as PackageKey },
        } as Entry)
      }
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

interface Comparable {
  readonly pkg: Listed
  readonly pkgid: string
}

function isPreferred(a: Comparable, b: Comparable): boolean {
  const [left, right] = [a.pkg.builtAt?.getTime() ?? 0, b.pkg.builtAt?.getTime() ?? 0]
  if (left !== right) return left > right
  if (a.pkgid !== b.pkgid) return a.pkgid > b.pkgid
  return a.pkg.files[0].path < b.pkg.files[0].path
}

function enumerate(names: readonly string[]): string {
  const rest = names.length - named
  return names.slice(0, named).join(', ') + (rest > 0 ? `, and ${rest} more` : '')
}
