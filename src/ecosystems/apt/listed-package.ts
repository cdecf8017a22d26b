import type { Checksum, Expectation } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import type { UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { ReadLimits } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import { parsePackagesStanza } from './formats/packages-stanza.ts'
import { parseSourcesStanza } from './formats/sources-stanza.ts'
import { keyOf, versionGroupOf } from './package-key.ts'

/** A package as one stanza of one index has it. */
export interface ListedPackage {
  /** Without its identity: several indexes may list it. */
  readonly pkg: Omit<UpstreamPackage<AptAttributes>, 'identity'>
  /** How many machines in a hundred upstream releases it to; `null` where to all at once. */
  readonly phasedPercentage: number | null
  /** Whether SHA-1 is the best that vouches for it. */
  readonly isWeak: boolean
}

/** Reads the stanzas of one index. Words that they share are kept once. */
export class StanzaReader {
  readonly #limits: ReadLimits
  readonly #what: string
  readonly #index: FetchedIndex
  /** For a package whose architecture its index says. */
  readonly #indexes: readonly string[]
  readonly #words = new Map<string, string>()

  /** @param what names the index in errors */
  constructor(limits: ReadLimits, index: FetchedIndex, what: string) {
    this.#limits = limits
    this.#index = index
    this.#what = what
    const { architecture } = index.index
    this.#indexes = architecture === null ? [] : [architecture]
  }

  /**
   * @throws ChantalError `UPSTREAM_INVALID` for a stanza that cannot be read, `CHECKSUM_MISSING` for one that vouches for its file
   *   with MD5 at best, `PATH_UNSAFE`
   */
  read(bytes: Uint8Array): ListedPackage {
    return this.#index.index.kind === 'sources' ? this.#source(bytes) : this.#binary(bytes)
  }

  #binary(bytes: Uint8Array): ListedPackage {
    const { place, index } = this.#index
    const stanza = parsePackagesStanza(bytes, this.#what)
    const { section, priority, source, installedSize } = stanza
    const [name, version] = [copyOf(stanza.name), copyOf(stanza.version)]
    const architecture = this.#word(stanza.architecture)
    const kind = index.isUdeb || stanza.packageType === 'udeb' ? 'udeb' : 'deb'
    const path = upstreamPath(copyOf(stanza.filename))
    return {
      pkg: {
        key: keyOf(place, index.component.name, { name, version, architecture, kind }),
        name,
        version,
        architecture,
        builtAt: null,
        versionGroup: versionGroupOf({ suite: place.suite, kind, name, architecture }),
        attributes: {
          suite: place.suite,
          component: index.component.name,
          kind,
          section: this.#word(section),
          priority: this.#word(priority),
          source: source === name ? null : this.#word(source),
          summary: stanza.summary === null ? null : copyOf(stanza.summary),
          installed_bytes: installedSize,
          indexes: this.#indexes,
        },
        files: [{ path, location: path, expect: this.#expectation(stanza, path) }],
      },
      phasedPercentage: stanza.phasedPercentage,
      isWeak: isWeak(stanza.checksums),
    }
  }

  #source(bytes: Uint8Array): ListedPackage {
    const { place, index } = this.#index
    const stanza = parseSourcesStanza(bytes, this.#what)
    const { section, priority, directory } = stanza
    const [name, version] = [copyOf(stanza.name), copyOf(stanza.version)]
    const files = stanza.files.map((file): UpstreamFile => {
      const path = upstreamPath(copyOf(directory === '' ? file.name : `${directory}/${file.name}`))
      return { path, location: path, expect: this.#expectation(file, path) }
    })
    const [first, ...rest] = files
    if (!first) {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `${this.#what}: source package ${name} ${version} has no files`,
      )
    }
    return {
      pkg: {
        key: keyOf(place, index.component.name, { name, version, architecture: 'source', kind: 'source' }),
        name,
        version,
        architecture: 'source',
        builtAt: null,
        versionGroup: versionGroupOf({ suite: place.suite, kind: 'source', name, architecture: 'source' }),
        attributes: {
          suite: place.suite,
          component: index.component.name,
          kind: 'source',
          section: this.#word(section),
          priority: this.#word(priority),
          source: null,
          summary: null,
          installed_bytes: null,
          indexes: this.#indexes,
        },
        files: [first, ...rest],
      },
      phasedPercentage: null,
      isWeak: stanza.files.some(({ checksums }) => isWeak(checksums)),
    }
  }

  #expectation(
    { size, checksums }: { readonly size: number; readonly checksums: readonly Checksum[] },
    path: RelativePath,
  ): Expectation {
    if (!checksums.some(({ algorithm }) => algorithm !== 'md5')) {
      throw new ChantalError('CHECKSUM_MISSING', `${this.#what} gives no SHA-256 of ${path}`, {
        hint: 'apt refuses such a package too: its owner has to publish it with a newer tool.',
        details: { path },
      })
    }
    return {
      size,
      checksums: checksums.map(({ algorithm, hex }) => ({ algorithm, hex: copyOf(hex) })),
      maxSize: Math.min(size, this.#limits.package),
    }
  }

  #word(text: string): string
  #word(text: string | null): string | null
  #word(text: string | null): string | null {
    if (text === null) return null
    const known = this.#words.get(text)
    if (known !== undefined) return known
    const word = copyOf(text)
    this.#words.set(word, word)
    return word
  }
}

/** `./` and doubled slashes say nothing; servers and clients pass them over. @throws ChantalError `PATH_UNSAFE` */
export function upstreamPath(text: string): RelativePath {
  return parseRelativePath(text.replace(/\/(\.?\/)+/g, '/').replace(/^(\.\/)+/, ''))
}

/** A part of a text keeps the whole in memory, and these are kept as long as the listing. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}

function isWeak(checksums: readonly Checksum[]): boolean {
  return !checksums.some(({ algorithm }) => algorithm !== 'md5' && algorithm !== 'sha1')
}
