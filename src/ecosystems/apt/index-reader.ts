import { hash } from 'node:crypto'
import type { ByteStore } from '../../core/byte-store.ts'
import type { Checksum } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath, type RelativePath, withoutDots } from '../../core/path.ts'
import type { ReadLimits } from '../ecosystem.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import { parsePackagesStanza } from './formats/packages-stanza.ts'
import { parseSourcesStanza } from './formats/sources-stanza.ts'
import { type FileFound, ListedPackage, type SharedFacts } from './listed-package.ts'
import { keyOf } from './package-key.ts'

/** A package as one stanza of one index has it. */
export interface ReadPackage {
  readonly pkg: ListedPackage
  /** How many machines in a hundred upstream releases it to; `null` where to all at once. */
  readonly phasedPercentage: number | null
}

/** Reads the stanzas of one index. */
export class IndexReader {
  readonly #limits: ReadLimits
  readonly #what: string
  readonly #index: FetchedIndex
  readonly #store: ByteStore
  /** For a package whose architecture its index says. */
  readonly #indexes: readonly string[]
  readonly #shared = new Map<string, SharedFacts>()

  /**
   * @param what names the index in errors
   * @param store where packages keep what they are seldom asked for
   */
  constructor(limits: ReadLimits, index: FetchedIndex, what: string, store: ByteStore) {
    this.#limits = limits
    this.#index = index
    this.#what = what
    this.#store = store
    const { architecture } = index.index
    this.#indexes = architecture === null ? [] : [architecture]
  }

  /**
   * @throws ChantalError `UPSTREAM_INVALID` for a stanza that cannot be read, `CHECKSUM_MISSING` for one that vouches for its file
   *   with MD5 at best, `PATH_UNSAFE`
   */
  read(bytes: Uint8Array): ReadPackage {
    return this.#index.index.kind === 'sources' ? this.#source(bytes) : this.#binary(bytes)
  }

  #binary(bytes: Uint8Array): ReadPackage {
    const stanza = parsePackagesStanza(bytes, this.#what)
    const { name, version, architecture, source, summary, installedSize, size, checksums } = stanza
    const kind = this.#index.index.isUdeb || stanza.packageType === 'udeb' ? 'udeb' : 'deb'
    const path = upstreamPath(stanza.filename)
    const facts = {
      name,
      version,
      shared: this.#sharedFacts(kind, architecture, stanza),
      source: source === name ? null : source,
      summary,
      installedBytes: installedSize,
      files: [this.#file(path, size, checksums)] as const,
    }
    return { pkg: this.#listed(facts, bytes), phasedPercentage: stanza.phasedPercentage }
  }

  #source(bytes: Uint8Array): ReadPackage {
    const stanza = parseSourcesStanza(bytes, this.#what)
    const { name, version, directory } = stanza
    const [first, ...rest] = stanza.files.map(({ name, size, checksums }) =>
      this.#file(upstreamPath(directory === '' ? name : `${directory}/${name}`), size, checksums),
    )
    if (!first) {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `${this.#what}: source package ${name} ${version} has no files`,
      )
    }
    const facts = {
      name,
      version,
      shared: this.#sharedFacts('source', 'source', stanza),
      source: null,
      summary: null,
      installedBytes: null,
      files: [first, ...rest] as const,
    }
    return { pkg: this.#listed(facts, bytes), phasedPercentage: null }
  }

  #listed(
    facts: Omit<ConstructorParameters<typeof ListedPackage>[0], 'key' | 'nameStart' | 'indexes' | 'digest'>,
    bytes: Uint8Array,
  ): ListedPackage {
    const { place, index } = this.#index
    const { name, version, shared } = facts
    const { architecture, kind } = shared
    const key = keyOf(place, index.component.name, { name, version, architecture, kind })
    const nameStart = key.length - keyOf(noPlace, '', { name, version, architecture, kind }).length
    const digest = hash('sha256', bytes, 'buffer')
    return new ListedPackage({ ...facts, key, nameStart, indexes: this.#indexes, digest }, this.#store)
  }

  #file(path: RelativePath, size: number, checksums: readonly Checksum[]): FileFound {
    if (!checksums.some(({ algorithm }) => algorithm !== 'md5')) {
      throw new ChantalError('CHECKSUM_MISSING', `${this.#what} gives no SHA-256 of ${path}`, {
        hint: 'apt refuses such a package too: its owner has to publish it with a newer tool.',
        details: { path },
      })
    }
    return { path, size, maxSize: Math.min(size, this.#limits.package), checksums }
  }

  #sharedFacts(
    kind: SharedFacts['kind'],
    architecture: string,
    { section, priority }: Pick<SharedFacts, 'section' | 'priority'>,
  ): SharedFacts {
    const name = [kind, architecture, section, priority].join(' ')
    const known = this.#shared.get(name)
    if (known) return known
    const { place, index } = this.#index
    const facts = {
      suite: place.suite,
      component: index.component.name,
      kind,
      architecture,
      section,
      priority,
    }
    // A part of a text keeps the whole in memory: these few are kept for as long as the listing.
    const own: SharedFacts = JSON.parse(JSON.stringify(facts))
    this.#shared.set(Buffer.from(name).toString(), own)
    return own
  }
}

const noPlace = { suite: '', isFlat: true }

/** `./` and doubled slashes say nothing; servers and clients pass them over. @throws ChantalError `PATH_UNSAFE` */
export function upstreamPath(text: string): RelativePath {
  return parseRelativePath(withoutDots(text))
}
