import type { RepositorySettings } from '../../config/settings.ts'
import type { Reporter } from '../../core/events.ts'
import { wantsGeneric } from '../../core/filter.ts'
import type { UnchangedPackage, UpstreamPackage } from '../../core/model.ts'
import { select } from '../../core/selection.ts'
import type { Ecosystem } from '../../ecosystems/ecosystem.ts'

/** Upstream's packages that the repository's filters keep; warns where that is none. A mirror holds them all. */
export function selectPackages(
  packages: readonly (UpstreamPackage | UnchangedPackage)[],
  { id, mode, filters }: RepositorySettings,
  ecosystem: Ecosystem,
  { now, reporter }: { readonly now: Date; readonly reporter: Reporter },
): readonly (UpstreamPackage | UnchangedPackage)[] {
  if (wantsAll({ mode, filters })) return packages
  const generic = wantsGeneric(filters, now, ecosystem.universalArchitectures)
  const own = filters.ecosystem
  const selected = select(
    packages.map(wholePackage),
    {
      wants: (pkg) => generic(pkg) && (own === null || ecosystem.wants(pkg, own)),
      keepNewest: filters.keepNewest,
    },
    ecosystem.versions,
  )
  if (selected.length === 0 && packages.length > 0) {
    // A mistake in a pattern looks like this. An empty repository may be what is wanted, and is no error.
    const listed = packages.length === 1 ? 'the one package' : `any of the ${packages.length} packages`
    const message = `the filters do not keep ${listed} that upstream lists`
    reporter.report({ type: 'warning', code: 'NOTHING_SELECTED', message, repository: id })
  }
  return selected
}

/** Whether nothing needs to be known of a package to tell that it is wanted. */
export function wantsAll({ mode, filters }: Pick<RepositorySettings, 'mode' | 'filters'>): boolean {
  return mode === 'mirror' || !filters.any
}

function wholePackage(pkg: UpstreamPackage | UnchangedPackage): UpstreamPackage {
  if ('isUnchanged' in pkg) throw new Error(`${pkg.key} was not read, and filters ask what it is`)
  return pkg
}
