import type { ByteStore, StoredBytes } from '../../core/byte-store.ts'
import type { Checksum, ChecksumAlgorithm, Expectation } from '../../core/digest.ts'
import type { PackageKey, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { AptAttributes } from './attributes.ts'
import { versionGroupOf } from './package-key.ts'

/** What packages have in common with many others; each combination is kept once. */
export interface SharedFacts
  extends Pick<AptAttributes, 'suite' | 'component' | 'kind' | 'section' | 'priority'> {
  readonly architecture: string
}

/** What is known of a package that an index lists. */
export interface PackageFound {
  /** Has `name_version_` in it, the name from `nameStart` on. */
  readonly key: PackageKey
  readonly nameStart: number
  readonly name: string
  readonly version: string
  readonly shared: SharedFacts
  readonly source: string | null
  readonly summary: string | null
  readonly installedBytes: number | null
  /** Architectures whose index lists it. */
  readonly indexes: readonly string[]
  /** SHA-256 of the stanza. */
  readonly digest: Uint8Array
  readonly files: readonly [FileFound, ...FileFound[]]
}

export interface FileFound {
  readonly path: RelativePath
  /** In bytes. */
  readonly size: number
  readonly maxSize: number
  readonly checksums: readonly Checksum[]
}

const digestSize = 32

/**
 * A package from listing to recording. Tens of thousands are held at once, so what is asked for once or twice lies as bytes in a
 * {@link ByteStore} and is read from there each time.
 */
export class ListedPackage implements UpstreamPackage<AptAttributes> {
  readonly files: readonly [ListedFile, ...ListedFile[]]
  readonly builtAt = null
  readonly #shared: SharedFacts
  readonly #nameStart: number
  readonly #nameEnd: number
  readonly #versionEnd: number
  /** The stanza's digest, then further attributes as JSON. */
  readonly #stored: StoredBytes
  #key: PackageKey
  #indexes: readonly string[]
  #isShared = false

  constructor(found: PackageFound, store: ByteStore) {
    const { key, nameStart, name, version, shared, source, summary, installedBytes, indexes, digest } = found
    this.#key = compact(key)
    this.#nameStart = nameStart
    this.#nameEnd = nameStart + name.length
    this.#versionEnd = this.#nameEnd + 1 + version.length
    this.#shared = shared
    this.#indexes = indexes
    this.#stored = store.add(digest, JSON.stringify([source, summary, installedBytes]))
    const [first, ...rest] = found.files
    this.files = [new ListedFile(first, store), ...rest.map((file) => new ListedFile(file, store))]
  }

  get key(): PackageKey {
    return this.#key
  }

  /** Gives it a key of its own beside another package of the same name, version and architecture. It begins as the one it has. */
  rename(key: PackageKey): void {
    this.#key = compact(key)
  }

  /** Architectures whose index lists it. */
  get indexes(): readonly string[] {
    return this.#indexes
  }

  /** Notes that indexes of other architectures have the same stanza. */
  listIn(architectures: readonly string[]): void {
    const more = architectures.filter((name) => !this.#indexes.includes(name))
    if (more.length === 0) return
    this.#indexes = [...this.#indexes, ...more].sort()
    this.#isShared = true
  }

  get name(): string {
    return this.#key.slice(this.#nameStart, this.#nameEnd)
  }

  get version(): string {
    return this.#key.slice(this.#nameEnd + 1, this.#versionEnd)
  }

  get architecture(): string {
    return this.#shared.architecture
  }

  get versionGroup(): string {
    const { suite, kind, architecture } = this.#shared
    return versionGroupOf({ suite, kind, name: this.name, architecture })
  }

  /** The stanza's digest. Where several indexes have it, which is part of what is published of it. */
  get identity(): string {
    const { block, start } = this.#stored
    const digest = block.toString('base64url', start, start + digestSize)
    return this.#isShared ? `${digest} ${this.#indexes.join(',')}` : digest
  }

  /** Whether another package has the same stanza. */
  hasStanzaOf(other: ListedPackage): boolean {
    const [mine, theirs] = [this.#stored, other.#stored]
    return (
      mine.block.compare(
        theirs.block,
        theirs.start,
        theirs.start + digestSize,
        mine.start,
        mine.start + digestSize,
      ) === 0
    )
  }

  get attributes(): AptAttributes {
    const { suite, component, kind, section, priority } = this.#shared
    const { block, start, end } = this.#stored
    const [source, summary, installed_bytes]: readonly [string | null, string | null, number | null] =
      JSON.parse(block.toString('utf8', start + digestSize, end))
    const indexes = this.#indexes
    return { suite, component, kind, section, priority, source, summary, installed_bytes, indexes }
  }

  /** Whether SHA-1 is the best that vouches for one of its files. */
  get isWeak(): boolean {
    return this.files.some((file) => file.isWeak)
  }
}

class ListedFile implements UpstreamFile {
  readonly path: RelativePath
  readonly #size: number
  readonly #maxSize: number
  readonly #algorithms: readonly ChecksumAlgorithm[]
  /** The checksums, one after another. */
  readonly #stored: StoredBytes

  constructor({ path, size, maxSize, checksums }: FileFound, store: ByteStore) {
    this.path = compact(path)
    this.#size = size
    this.#maxSize = maxSize
    this.#algorithms = sharedList(checksums.map(({ algorithm }) => algorithm))
    this.#stored = store.add(Buffer.from(checksums.map(({ hex }) => hex).join(''), 'hex'), '')
  }

  get location(): string {
    return this.path
  }

  get expect(): Expectation {
    const { block } = this.#stored
    let start = this.#stored.start
    const checksums = this.#algorithms.map((algorithm): Checksum => {
      const end = start + checksumSizes[algorithm]
      const hex = block.toString('hex', start, end)
      start = end
      return { algorithm, hex }
    })
    return { size: this.#size, checksums, maxSize: this.#maxSize }
  }

  get isWeak(): boolean {
    return this.#algorithms.every((algorithm) => algorithm === 'md5' || algorithm === 'sha1')
  }
}

/** In bytes. */
const checksumSizes: Readonly<Record<ChecksumAlgorithm, number>> = {
  md5: 16,
  sha1: 20,
  sha224: 28,
  sha256: 32,
  sha384: 48,
  sha512: 64,
}

const algorithmLists = new Map<string, readonly ChecksumAlgorithm[]>()

/** Every package of an archive has the same few. */
function sharedList(algorithms: readonly ChecksumAlgorithm[]): readonly ChecksumAlgorithm[] {
  const name = algorithms.join()
  const known = algorithmLists.get(name) ?? algorithms
  algorithmLists.set(name, known)
  return known
}

/** The same text in one piece: what was put together, or cut out, keeps all that it was made of. */
function compact<Branded extends string>(text: Branded): Branded {
  return Buffer.from(text).toString() as Branded
}
