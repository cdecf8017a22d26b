import type { UpstreamPackage } from './model.ts'
import type { VersionOrder } from './plan.ts'

/** Which of upstream's packages a repository wants. */
export interface Selection {
  wants(pkg: UpstreamPackage): boolean
  /** Newest versions kept per group; `null` keeps all. */
  readonly keepNewest: number | null
}

/**
 * Applies a selection: filters first, then the newest versions of each group.
 * Packages of equal version stand or fall together.
 */
export function select(
  packages: readonly UpstreamPackage[],
  selection: Selection,
  versions: VersionOrder,
): readonly UpstreamPackage[] {
  const wanted = packages.filter((pkg) => selection.wants(pkg))
  const { keepNewest } = selection
  if (keepNewest === null) return wanted
  const groups = Map.groupBy(wanted, (pkg) => pkg.versionGroup)
  const kept = new Set<UpstreamPackage>()
  for (const group of groups.values()) {
    const newest = [...group].sort((a, b) => versions.compare(b.version, a.version))
    let distinct = 0
    let previous: UpstreamPackage | undefined
    for (const pkg of newest) {
      if (!previous || versions.compare(previous.version, pkg.version) !== 0) distinct += 1
      if (distinct > keepNewest) break
      kept.add(pkg)
      previous = pkg
    }
  }
  return wanted.filter((pkg) => kept.has(pkg))
}
