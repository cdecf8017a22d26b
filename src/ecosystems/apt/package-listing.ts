import { createHash } from 'node:crypto'
import { decompress } from '../../codec/compression.ts'
import { ByteStore } from '../../core/byte-store.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { Checksum } from '../../core/digest.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { NativeRecord, PackageKey, UnchangedPackage, UpstreamPackage } from '../../core/model.ts'
import { isEachOnce, type RecognizedPackage } from '../../core/recognized.ts'
import type { AptAttributes } from './attributes.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import { type PackageQuery, parsePackageQuery } from './formats/package-query.ts'
import type { ReleaseFile } from './formats/release.ts'
import { parseStanza } from './formats/stanza.ts'
import { readStanzas } from './formats/stanza-reader.ts'
import { HeldBack } from './held-back.ts'
import { IndexReader, type ReadPackage } from './index-reader.ts'
import type { ListedPackage } from './listed-package.ts'
import type { AptOptions } from './options.ts'
import { PackageEntries, type SettledPackages } from './package-entries.ts'
import { Recognizer } from './recognized-package.ts'
import type { AptReadRequest } from './suite-release.ts'
import { inSuite } from './suites.ts'

/** Names in a warning; the rest is counted. */
const named = 5

interface IndexedPackages {
  readonly settled: SettledPackages
  readonly unchanged: readonly RecognizedPackage[]
  readonly heldBack: HeldBack
  /** Why entries cannot be read. */
  readonly malformed: readonly string[]
}

/** The packages that a repository's indexes list, and their stanzas. */
export class PackageListing {
  readonly #request: AptReadRequest
  readonly #indexes: readonly FetchedIndex[]
  readonly #query: PackageQuery | null
  /** For each index the key of each of its stanzas; `null` for one that is passed over. */
  readonly #keys = new Map<FetchedIndex, readonly (PackageKey | null)[]>()

  constructor(request: AptReadRequest, indexes: readonly FetchedIndex[]) {
    this.#request = request
    this.#indexes = indexes
    const query = request.filters?.query
    this.#query = query === undefined ? null : parsePackageQuery(query)
  }

  /** Each key once. Defects that can be lived with are warned of, with names. */
  async *read(): AsyncGenerator<UpstreamPackage<AptAttributes> | UnchangedPackage> {
    let list = await this.#readIndexes(await this.#request.unchanged())
    // Which of several packages stands, or takes the place of one that is held back, is told by what was passed over.
    const isEnough = isEachOnce(list.settled.packages, list.unchanged) && list.heldBack.isEmpty
    if (list.unchanged.length > 0 && !isEnough) list = await this.#readIndexes(new Map())
    const { settled, unchanged, heldBack, malformed } = list
    const { packages, keys, collisions, repeated, weak } = settled
    for (const [index, found] of keys) this.#keys.set(index, found)
    if (malformed.length > 0)
      this.#warn('METADATA_MALFORMED', `index entries that cannot be read: ${enumerate(malformed)}`)
    if (collisions.length > 0)
      this.#warn('DUPLICATE_PACKAGE', `different files under one path: ${enumerate(collisions)}`)
    if (repeated.length > 0)
      this.#warn(
        'DUPLICATE_PACKAGE',
        `several entries of one name, version and architecture: ${enumerate(repeated)}`,
      )
    if (weak > 0) this.#warn('WEAK_CHECKSUM', `upstream vouches for ${weak} packages with SHA-1`)
    yield* packages
    yield* unchanged
    yield* await heldBack.predecessors(this.#request, packages)
  }

  /** @param known keys by the identity of what need not be read */
  async #readIndexes(known: ReadonlyMap<string, PackageKey>): Promise<IndexedPackages> {
    const entries = new PackageEntries()
    const heldBack = new HeldBack()
    const unchanged: RecognizedPackage[] = []
    const malformed: string[] = []
    const store = new ByteStore()
    for (const index of this.#indexes) {
      const what = inSuite(index.place, index.index.plainPath)
      const reader = new IndexReader(this.#request.limits, index, what, store)
      const recognizer = new Recognizer(index, known)
      for await (const stanzas of this.#stanzas(index)) {
        for (const bytes of stanzas) {
          const recognized = recognizer.recognize(bytes)
          if (recognized) unchanged.push(recognized)
          // Nobody asks for the record of what is held.
          const pkg = recognized ? null : this.#wanted(bytes, index, reader, { malformed, heldBack })
          entries.add(index, pkg)
        }
      }
    }
    return { settled: entries.settle(), unchanged, heldBack, malformed }
  }

  /** The indexes are read once more. Copies: a view would keep the quarter of a megabyte around it. */
  async *records(wanted: ReadonlySet<PackageKey>): AsyncGenerator<NativeRecord> {
    const seen = new Set<PackageKey>()
    for (const index of this.#indexes) {
      const keys = this.#keys.get(index) ?? []
      if (!keys.some((key) => key !== null && wanted.has(key))) continue
      let position = 0
      for await (const stanzas of this.#stanzas(index)) {
        for (const bytes of stanzas) {
          const key = keys[position] ?? null
          position += 1
          if (key === null || seen.has(key) || !wanted.has(key)) continue
          seen.add(key)
          yield { key, part: 'stanza', bytes: Buffer.from(bytes) }
        }
      }
    }
  }

  /** What a stanza lists; `null` where it cannot be read, or is not wanted. */
  #wanted(
    bytes: Uint8Array,
    { place, index }: FetchedIndex,
    reader: IndexReader,
    passedOver: { readonly malformed: string[]; readonly heldBack: HeldBack },
  ): ListedPackage | null {
    const { options, mode } = this.#request
    let read: ReadPackage
    try {
      read = reader.read(bytes)
    } catch (error) {
      if (!isChantalError(error, 'UPSTREAM_INVALID')) throw error
      passedOver.malformed.push(error.message)
      return null
    }
    const { pkg, phasedPercentage } = read
    if (mode === 'mirror') return pkg
    if (place.isFlat && index.kind === 'packages' && !isWantedArchitecture(pkg.architecture, options))
      return null
    if (this.#query && !this.#query.matches(parseStanza(bytes))) return null
    if (options.phased_updates !== 'hold' || phasedPercentage === null || phasedPercentage === 100) return pkg
    passedOver.heldBack.add(pkg)
    return null
  }

  async *#stanzas({ file, plain, place, index }: FetchedIndex): AsyncGenerator<readonly Uint8Array[]> {
    if (!file) return
    const { limits } = this.#request
    const what = inSuite(place, index.plainPath)
    const maxSize = plain?.size ?? Math.max(file.size * limits.decompressedRatio, limits.decompressedMinimum)
    const open = decompress(file.stream(), { maxSize })
    yield* readStanzas(plain ? checked(open, plain, what) : open, what)
  }

  #warn(code: 'METADATA_MALFORMED' | 'DUPLICATE_PACKAGE' | 'WEAK_CHECKSUM', message: string): void {
    this.#request.reporter.report({ type: 'warning', code, message })
  }
}

/** The one index of a flat repository lists packages of every architecture. */
function isWantedArchitecture(architecture: string | null, { architectures }: AptOptions): boolean {
  return (
    !architectures || architecture === null || architecture === 'all' || architectures.includes(architecture)
  )
}

/** apt checks what comes out of the compressed file too: a tree in which they differ would be refused by every client. */
async function* checked(source: ByteSource, { checksums, size }: ReleaseFile, what: string): ByteSource {
  const wanted = checksums.filter(({ algorithm }) => algorithm === 'sha256' || algorithm === 'sha512')
  const hashes = wanted.map(({ algorithm }) => createHash(algorithm))
  let length = 0
  for await (const chunk of source) {
    for (const each of hashes) each.update(chunk)
    length += chunk.byteLength
    yield chunk
  }
  const actual = hashes.map((each) => each.digest('hex'))
  if (length === size && wanted.every(({ hex }, at) => hex === actual[at])) return
  throw notAsListed(what, wanted, actual, { size, length })
}

function notAsListed(
  what: string,
  wanted: readonly Checksum[],
  actual: readonly string[],
  { size, length }: { readonly size: number; readonly length: number },
): ChantalError {
  return new ChantalError('CHECKSUM_MISMATCH', `${what}: decompressed, it is not what Release lists`, {
    hint: 'Upstream may be between two updates. If it stays so, tell upstream.',
    details: {
      path: what,
      expected: wanted.map(({ hex }) => hex),
      actual: [...actual],
      expected_bytes: size,
      actual_bytes: length,
    },
  })
}

function enumerate(names: readonly string[]): string {
  const rest = names.length - named
  return names.slice(0, named).join('; ') + (rest > 0 ? `; and ${rest} more` : '')
}
