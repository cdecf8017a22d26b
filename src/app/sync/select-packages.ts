import type { RepositorySettings } from '../../config/settings.ts'
import { wantsGeneric } from '../../core/filter.ts'
import type { UnchangedPackage, UpstreamPackage } from '../../core/model.ts'
import { select } from '../../core/selection.ts'
import type { Ecosystem } from '../../ecosystems/ecosystem.ts'

/** Upstream's packages that the repository's filters keep. A mirror holds them all. */
export function selectPackages(
  packages: readonly (UpstreamPackage | UnchangedPackage)[],
  { mode, filters }: RepositorySettings,
  ecosystem: Ecosystem,
  now: Date,
): readonly (UpstreamPackage | UnchangedPackage)[] {
  if (wantsAll({ mode, filters })) return packages
  const generic = wantsGeneric(filters, now, ecosystem.universalArchitectures)
  const own = filters.ecosystem
  return select(
    packages.map(wholePackage),
    {
      wants: (pkg) => generic(pkg) && (own === null || ecosystem.wants(pkg, own)),
      keepNewest: filters.keepNewest,
    },
    ecosystem.versions,
  )
}

/** Whether nothing needs to be known of a package to tell that it is wanted. */
export function wantsAll({ mode, filters }: Pick<RepositorySettings, 'mode' | 'filters'>): boolean {
  return mode === 'mirror' || !filters.any
}

function wholePackage(pkg: UpstreamPackage | UnchangedPackage): UpstreamPackage {
  if ('isUnchanged' in pkg) throw new Error(`${pkg.key} was not read, and filters ask what it is`)
  return pkg
}
