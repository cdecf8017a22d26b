import type { PackageKey, UnchangedPackage, UpstreamPackage } from './model.ts'

/** Orders versions the way the ecosystem's client does: rpmvercmp, dpkg, PEP 440, SemVer, apk. */
export interface VersionOrder {
  /** Negative, zero or positive, as `Array.sort` takes it. Total: no input throws. */
  compare(a: string, b: string): number
}

/** What the plan needs to know of a package that the latest revision holds. */
export interface HeldPackage {
  readonly key: PackageKey
  readonly identity: string
}

/** What a sync will do, settled before anything is fetched. `--dry-run` prints it. */
export interface SyncPlan {
  readonly unchanged: number
  /** New keys. */
  readonly added: readonly UpstreamPackage[]
  /** Keys held with another identity: the old row ends, the new one begins. */
  readonly replaced: readonly UpstreamPackage[]
  readonly removed: readonly PackageKey[]
}

/** Pure: the same input gives the same plan, in the same order. `upstream` is what the selection wants, each key once. */
export function planSync(
  upstream: readonly (UpstreamPackage | UnchangedPackage)[],
  held: ReadonlyMap<PackageKey, HeldPackage>,
): SyncPlan {
  const added: UpstreamPackage[] = []
  const replaced: UpstreamPackage[] = []
  const wanted = new Set<PackageKey>()
  let unchanged = 0
  for (const listed of upstream) {
    wanted.add(listed.key)
    const before = held.get(listed.key)
    if ('isUnchanged' in listed) {
      if (!before) throw new Error(`${listed.key} is unchanged, and not held`)
      unchanged += 1
    } else if (!before) added.push(listed)
    else if (before.identity !== listed.identity) replaced.push(listed)
    else unchanged += 1
  }
  const removed = [...held.keys()].filter((key) => !wanted.has(key)).sort()
  return { unchanged, added, replaced, removed }
}
