import type { RepositorySettings } from '../../config/settings.ts'
import { wantsGeneric } from '../../core/filter.ts'
import type { UpstreamPackage } from '../../core/model.ts'
import { select } from '../../core/selection.ts'
import type { Ecosystem } from '../../ecosystems/ecosystem.ts'

/** Upstream's packages that the repository's filters keep. A mirror holds them all. */
export function selectPackages(
  packages: readonly UpstreamPackage[],
  { mode, filters }: RepositorySettings,
  ecosystem: Ecosystem,
  now: Date,
): readonly UpstreamPackage[] {
  if (mode === 'mirror' || !filters.any) return packages
  const generic = wantsGeneric(filters, now, ecosystem.universalArchitectures)
  const own = filters.ecosystem
  return select(
    packages,
    {
      wants: (pkg) => generic(pkg) && (own === null || ecosystem.wants(pkg, own)),
      keepNewest: filters.keepNewest,
    },
    ecosystem.versions,
  )
}
