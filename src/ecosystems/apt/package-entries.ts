import type { PackageKey } from '../../core/model.ts'
import type { FetchedIndex } from './fetch-indexes.ts'
import type { ListedPackage } from './listed-package.ts'
import { compareDebVersions } from './version.ts'

/** What all indexes together come to. */
export interface SettledPackages {
  readonly packages: readonly ListedPackage[]
  /** For each index the key of each of its stanzas; `null` for one that is passed over. */
  readonly keys: ReadonlyMap<FetchedIndex, readonly (PackageKey | null)[]>
  /** Paths under which different files are listed. */
  readonly collisions: readonly string[]
  /** Packages of which there are several entries. */
  readonly repeated: readonly string[]
  /** Packages that SHA-1 alone vouches for. */
  readonly weak: number
}

/**
 * Collects the packages of several indexes. A package for all architectures is listed in the index of each, and is one package;
 * where stanzas or files differ there are several, so that each index keeps its own.
 */
export class PackageEntries {
  readonly #byKey = new Map<PackageKey, ListedPackage>()
  /** For each index the package of each stanza. */
  readonly #positions = new Map<FetchedIndex, (ListedPackage | null)[]>()
  readonly #repeated: string[] = []

  /** Adds what the next stanza of an index lists; `null` for one that is passed over. */
  add(index: FetchedIndex, pkg: ListedPackage | null): void {
    let entries = this.#positions.get(index)
    if (!entries) {
      entries = []
      this.#positions.set(index, entries)
    }
    entries.push(pkg && this.#enter(index, pkg))
  }

  settle(): SettledPackages {
    const { losers, collisions } = this.#settlePaths()
    const packages = [...this.#byKey.values()].filter((pkg) => !losers.has(pkg))
    const keys = new Map(
      [...this.#positions].map(([index, entries]) => [
        index,
        entries.map((pkg) => (pkg && !losers.has(pkg) ? pkg.key : null)),
      ]),
    )
    const weak = packages.filter((pkg) => pkg.isWeak).length
    return { packages, keys, collisions, repeated: this.#repeated, weak }
  }

  /** @returns the package that stands for it, which may have been there */
  #enter(index: FetchedIndex, pkg: ListedPackage): ListedPackage {
    const { key } = pkg
    let known = this.#byKey.get(key)
    if (!known) {
      this.#byKey.set(key, pkg)
      return pkg
    }
    const [{ path }] = pkg.files
    for (const name of [`${key} (${path})`, `${key} (${path}, ${index.index.plainPath})`, null]) {
      if (known.hasStanzaOf(pkg)) {
        known.listIn(pkg.indexes)
        return known
      }
      if (name === null) break
      const next = this.#byKey.get(name as PackageKey)
      if (!next) {
        pkg.rename(name as PackageKey)
        this.#byKey.set(pkg.key, pkg)
        this.#repeated.push(key)
        return pkg
      }
      known = next
    }
    // The same package, from the same path, twice in one index, in other words: apt takes one of them too.
    this.#repeated.push(key)
    return known
  }

  /** Two files cannot stand under one path: the newest version does. Sources share files that are the same. */
  #settlePaths(): { readonly losers: ReadonlySet<ListedPackage>; readonly collisions: readonly string[] } {
    const byPath = new Map<string, ListedPackage>()
    const losers = new Set<ListedPackage>()
    const collisions: string[] = []
    for (const pkg of this.#byKey.values()) {
      for (const { path } of pkg.files) {
        const other = byPath.get(path)
        if (!other || losers.has(other)) byPath.set(path, pkg)
        else if (!isSame(pkg, other, path)) {
          collisions.push(path)
          const isNewer = compareDebVersions(pkg.version, other.version) > 0
          losers.add(isNewer ? other : pkg)
          if (isNewer) byPath.set(path, pkg)
        }
      }
    }
    return { losers, collisions }
  }
}

/** Whether two packages promise the same bytes under a path: no checksum that both give differs, and one at least agrees. */
function isSame(a: ListedPackage, b: ListedPackage, path: string): boolean {
  const of = (pkg: ListedPackage) => pkg.files.find((file) => file.path === path)?.expect.checksums ?? []
  const others = new Map(of(b).map(({ algorithm, hex }) => [algorithm, hex]))
  const shared = of(a).filter(({ algorithm }) => algorithm !== 'md5' && others.has(algorithm))
  return shared.length > 0 && shared.every(({ algorithm, hex }) => others.get(algorithm) === hex)
}
