import type { Checksum, Expectation } from '../../core/digest.ts'
import type { PackageKey, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { RpmAttributes } from './attributes.ts'
import type { ByteStore, StoredBytes } from './byte-store.ts'

/** What is known of a package that primary.xml lists. */
export interface PackageFound {
  readonly key: PackageKey
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Seconds since 1970. */
  readonly buildTime: number | null
  readonly moduleStreams: readonly string[]
  /** A digest of 32 bytes. */
  readonly identity: Uint8Array
  readonly attributes: RpmAttributes
  readonly path: RelativePath
  readonly location: string | URL
  readonly checksum: Checksum
  /** In bytes. */
  readonly size: number | null
  /** Bytes that are read where upstream states no size. */
  readonly maxSize: number
  /** Where it stands among the packages of primary.xml, from 0. */
  readonly index: number
}

const identitySize = 32

/**
 * A package from listing to recording. Tens of thousands are held at once, so what is asked for once or twice lies as bytes in a
 * {@link ByteStore} and is read from there each time.
 */
export class ListedPackage implements UpstreamPackage<RpmAttributes> {
  readonly key: PackageKey
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly files: readonly [ListedFile]
  readonly index: number
  readonly #buildTime: number | null
  readonly #moduleStreams: readonly string[]
  /** The identity, the file's checksum, the attributes as JSON. */
  readonly #stored: StoredBytes

  constructor(found: PackageFound, store: ByteStore) {
    const { checksum, identity, attributes } = found
    this.key = found.key
    this.name = found.name
    this.version = found.version
    this.architecture = found.architecture
    this.index = found.index
    this.#buildTime = found.buildTime
    this.#moduleStreams = found.moduleStreams
    const digests = Buffer.concat([identity, Buffer.from(checksum.hex, 'hex')])
    this.#stored = store.add(digests, JSON.stringify(attributes))
    this.files = [new ListedFile(found, this.#stored)]
  }

  get builtAt(): Date | null {
    return this.#buildTime === null ? null : new Date(this.#buildTime * 1000)
  }

  get identity(): string {
    const { block, start } = this.#stored
    return block.toString('base64url', start, start + identitySize)
  }

  /** A module stream is a line of versions of its own: the newest of another stream does not replace it. */
  get versionGroup(): string {
    return [this.name, this.architecture, ...[...this.#moduleStreams].sort()].join(' ')
  }

  get attributes(): RpmAttributes {
    const { block, end } = this.#stored
    return JSON.parse(block.toString('utf8', this.files[0].checksumEnd, end))
  }

  /** Also what its entries in the other documents are known by. */
  get pkgid(): string {
    return this.files[0].checksum.hex
  }

  withKey(key: PackageKey, store: ByteStore): ListedPackage {
    const [{ path, location, checksum, size, maxSize }] = this.files
    const { block, start } = this.#stored
    const found = {
      ...{ key, name: this.name, version: this.version, architecture: this.architecture, index: this.index },
      ...{ buildTime: this.#buildTime, moduleStreams: this.#moduleStreams, attributes: this.attributes },
      ...{ path, location, checksum, size, maxSize },
      identity: block.subarray(start, start + identitySize),
    }
    return new ListedPackage(found, store)
  }
}

/** The package's file. */
class ListedFile implements UpstreamFile {
  readonly path: RelativePath
  readonly location: string | URL
  readonly size: number | null
  readonly maxSize: number
  readonly #algorithm: Checksum['algorithm']
  readonly #block: Buffer
  readonly #checksumStart: number
  readonly checksumEnd: number

  constructor({ path, location, checksum, size, maxSize }: PackageFound, { block, start }: StoredBytes) {
    this.path = path
    this.location = location
    this.size = size
    this.maxSize = maxSize
    this.#algorithm = checksum.algorithm
    this.#block = block
    this.#checksumStart = start + identitySize
    this.checksumEnd = this.#checksumStart + checksum.hex.length / 2
  }

  get checksum(): Checksum {
    const hex = this.#block.toString('hex', this.#checksumStart, this.checksumEnd)
    return { algorithm: this.#algorithm, hex }
  }

  get expect(): Expectation {
    const { checksum, size, maxSize } = this
    return size === null ? { checksums: [checksum], maxSize } : { checksums: [checksum], size, maxSize: size }
  }
}
