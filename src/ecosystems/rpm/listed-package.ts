import type { ByteStore, StoredBytes } from '../../core/byte-store.ts'
import type { Checksum, Expectation } from '../../core/digest.ts'
import type { PackageKey, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { RpmAttributes } from './attributes.ts'

/** What is known of a package that primary.xml lists. */
export interface PackageFound {
  /** Begins with the name, and goes on with `-` and the version. */
  readonly key: PackageKey
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Seconds since 1970. */
  readonly buildTime: number | null
  readonly moduleStreams: readonly string[]
  /** A digest of 32 bytes. */
  readonly identity: Uint8Array
  readonly attributes: OwnAttributes
  readonly path: RelativePath
  /** Where it is not at `path`. */
  readonly elsewhere: URL | null
  readonly checksum: Checksum
  /** In bytes. */
  readonly size: number | null
  /** Bytes that are read where upstream states no size. */
  readonly maxSize: number
  /** Where it stands among the packages of primary.xml, from 0. */
  readonly index: number
}

/** In the order in which they are stored. */
const attributeNames = [
  'summary',
  'license',
  'vendor',
  'group',
  'source_rpm',
  'url',
  'installed_bytes',
] as const

/** But for the checksum, which is the file's. */
type OwnAttributes = Pick<RpmAttributes, (typeof attributeNames)[number]>

type Text = string | null
type Texts = readonly [Text, Text, Text, Text, Text, Text]

const identitySize = 32

/**
 * A package from listing to recording. Tens of thousands are held at once, so what is asked for once or twice lies as bytes in a
 * {@link ByteStore} and is read from there each time.
 */
export class ListedPackage implements UpstreamPackage<RpmAttributes> {
  readonly key: PackageKey
  readonly architecture: string
  readonly index: number
  readonly #file: ListedFile
  readonly #nameEnd: number
  readonly #versionEnd: number
  readonly #buildTime: number | null
  readonly #moduleStreams: readonly string[]
  /** The identity, the file's checksum, the attributes as JSON. */
  readonly #stored: StoredBytes

  constructor(found: PackageFound, store: ByteStore) {
    const { name, version, checksum, identity, attributes } = found
    this.key = compact(found.key)
    this.#nameEnd = name.length
    this.#versionEnd = name.length + 1 + version.length
    this.architecture = found.architecture
    this.index = found.index
    this.#buildTime = found.buildTime
    this.#moduleStreams = found.moduleStreams
    const digests = Buffer.concat([identity, Buffer.from(checksum.hex, 'hex')])
    this.#stored = store.add(digests, JSON.stringify(attributeNames.map((field) => attributes[field])))
    this.#file = new ListedFile(found, this.#stored)
  }

  get name(): string {
    return this.key.slice(0, this.#nameEnd)
  }

  get version(): string {
    return this.key.slice(this.#nameEnd + 1, this.#versionEnd)
  }

  get builtAt(): Date | null {
    return this.#buildTime === null ? null : new Date(this.#buildTime * 1000)
  }

  get files(): readonly [ListedFile] {
    return [this.#file]
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
    const { algorithm, hex } = this.#file.checksum
    return { ...this.#storedAttributes(), checksum: `${algorithm}:${hex}` }
  }

  /** What its entries in the other documents are known by. */
  get pkgid(): string {
    return this.#file.checksum.hex
  }

  withKey(key: PackageKey, store: ByteStore): ListedPackage {
    const { path, elsewhere, checksum, size, maxSize } = this.#file
    const { block, start } = this.#stored
    const found = {
      ...{ key, name: this.name, version: this.version, architecture: this.architecture, index: this.index },
      ...{ buildTime: this.#buildTime, moduleStreams: this.#moduleStreams },
      ...{ path, elsewhere, checksum, size, maxSize },
      attributes: this.#storedAttributes(),
      identity: block.subarray(start, start + identitySize),
    }
    return new ListedPackage(found, store)
  }

  #storedAttributes(): OwnAttributes {
    const { block, end } = this.#stored
    const values: readonly [...Texts, installedBytes: number | null] = JSON.parse(
      block.toString('utf8', this.#file.checksumEnd, end),
    )
    const [summary, license, vendor, group, source_rpm, url, installed_bytes] = values
    return { summary, license, vendor, group, source_rpm, url, installed_bytes }
  }
}

/** The package's file. */
class ListedFile implements UpstreamFile {
  readonly path: RelativePath
  readonly elsewhere: URL | null
  readonly size: number | null
  readonly maxSize: number
  readonly checksumEnd: number
  readonly #algorithm: Checksum['algorithm']
  readonly #block: Buffer
  readonly #checksumStart: number

  constructor({ path, elsewhere, checksum, size, maxSize }: PackageFound, { block, start }: StoredBytes) {
    this.path = compact(path)
    this.elsewhere = elsewhere
    this.size = size
    this.maxSize = maxSize
    this.#algorithm = checksum.algorithm
    this.#block = block
    this.#checksumStart = start + identitySize
    this.checksumEnd = this.#checksumStart + checksum.hex.length / 2
  }

  get location(): string | URL {
    return this.elsewhere ?? this.path
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

/** The same text in one piece: what was put together, or cut out, keeps all that it was made of. */
function compact<Branded extends string>(text: Branded): Branded {
  return Buffer.from(text).toString() as Branded
}
