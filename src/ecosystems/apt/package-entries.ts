import type { PackageKey, UpstreamPackage } from '../../core/model.ts'
import type { AptAttributes } from './attributes.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import type { ListedPackage } from './listed-package.ts'
import { compareDebVersions } from './version.ts'

/** What all indexes together come to. */
export interface SettledPackages {
  readonly packages: readonly UpstreamPackage<AptAttributes>[]
  /** For each index the key of each of its stanzas; `null` for one that is passed over. */
  readonly keys: ReadonlyMap<FetchedIndex, readonly (PackageKey | null)[]>
  /** Paths under which different files are listed. */
  readonly collisions: readonly string[]
  /** Packages of which there are several entries. */
  readonly repeated: readonly string[]
  /** Packages that SHA-1 alone vouches for. */
  readonly weak: number
}

interface Entry {
  readonly listed: ListedPackage
  readonly key: PackageKey
  /** Of the stanza. */
  readonly digest: string
  /** Architectures of the indexes that have this very stanza. */
  indexes: readonly string[]
}

/**
 * Collects the packages of several indexes. A package for all architectures is listed in the index of each, and is one package;
 * where stanzas or files differ there are several, so that each index keeps its own.
 */
export class PackageEntries {
  readonly #byKey = new Map<PackageKey, Entry>()
  /** For each index the entry of each stanza. */
  readonly #positions = new Map<FetchedIndex, (Entry | null)[]>()
  readonly #repeated: string[] = []

  /**
   * Adds what the next stanza of an index lists; `null` for one that is passed over.
   * @param digest of the stanza
   */
  add(index: FetchedIndex, listed: ListedPackage | null, digest: string): void {
    let entries = this.#positions.get(index)
    if (!entries) {
      entries = []
      this.#positions.set(index, entries)
    }
    entries.push(listed && this.#enter(index, listed, digest))
  }

  settle(): SettledPackages {
    const { losers, collisions } = this.#settlePaths()
    const packages: UpstreamPackage<AptAttributes>[] = []
    let weak = 0
    for (const entry of this.#byKey.values()) {
      if (losers.has(entry)) continue
      packages.push(packageOf(entry))
      if (entry.listed.isWeak) weak += 1
    }
    const keys = new Map(
      [...this.#positions].map(([index, entries]) => [
        index,
        entries.map((entry) => (entry && !losers.has(entry) ? entry.key : null)),
      ]),
    )
    return { packages, keys, collisions, repeated: this.#repeated, weak }
  }

  #enter(index: FetchedIndex, listed: ListedPackage, digest: string): Entry {
    const { pkg } = listed
    const [{ path }] = pkg.files
    const names = [pkg.key, `${pkg.key} (${path})`, `${pkg.key} (${path}, ${index.index.plainPath})`]
    for (const name of names) {
      const key = name as PackageKey
      const known = this.#byKey.get(key)
      if (!known) {
        const entry = { listed, key, digest, indexes: pkg.attributes.indexes }
        this.#byKey.set(key, entry)
        if (key !== pkg.key) this.#repeated.push(pkg.key)
        return entry
      }
      if (known.digest === digest) {
        const more = pkg.attributes.indexes.filter((name) => !known.indexes.includes(name))
        if (more.length > 0) known.indexes = [...known.indexes, ...more]
        return known
      }
    }
    // The same package, from the same path, twice in one index, in other words: apt takes one of them too.
    this.#repeated.push(pkg.key)
    const last = this.#byKey.get(names.at(-1) as PackageKey)
    if (!last) throw new Error(`lost ${pkg.key}`)
    return last
  }

  /** Two files cannot stand under one path: the newest version does. Sources share files that are the same. */
  #settlePaths(): { readonly losers: ReadonlySet<Entry>; readonly collisions: readonly string[] } {
    const byPath = new Map<string, Entry>()
    const losers = new Set<Entry>()
    const collisions: string[] = []
    for (const entry of this.#byKey.values()) {
      for (const { path } of entry.listed.pkg.files) {
        const other = byPath.get(path)
        if (!other || losers.has(other)) byPath.set(path, entry)
        else if (!isSame(entry, other, path)) {
          collisions.push(path)
          const isNewer = compareDebVersions(entry.listed.pkg.version, other.listed.pkg.version) > 0
          losers.add(isNewer ? other : entry)
          if (isNewer) byPath.set(path, entry)
        }
      }
    }
    return { losers, collisions }
  }
}

/** Whether two entries promise the same bytes under a path: no checksum that both give differs, and one at least agrees. */
function isSame(a: Entry, b: Entry, path: string): boolean {
  const of = (entry: Entry) =>
    entry.listed.pkg.files.find((file) => file.path === path)?.expect.checksums ?? []
  const others = new Map(of(b).map(({ algorithm, hex }) => [algorithm, hex]))
  const shared = of(a).filter(({ algorithm }) => algorithm !== 'md5' && others.has(algorithm))
  return shared.length > 0 && shared.every(({ algorithm, hex }) => others.get(algorithm) === hex)
}

function packageOf({ listed: { pkg }, key, digest, indexes }: Entry): UpstreamPackage<AptAttributes> {
  const { attributes } = pkg
  if (indexes === attributes.indexes) return { ...pkg, key, identity: digest }
  const sorted = [...indexes].sort()
  return {
    ...pkg,
    key,
    // Where it is listed is part of what is published of it.
    identity: `${digest} ${sorted.join(',')}`,
    attributes: { ...attributes, indexes: sorted },
  }
}
