import { noComponent, type SuiteSelection } from './suite-indexes.ts'
import type { AptReadRequest, SuiteRelease } from './suite-release.ts'
import { inSuite } from './suites.ts'

/**
 * Warns of what is configured and a suite does not list. Suites differ, and one of several may lack a component (Debian 11 has no
 * non-free-firmware), an architecture or its source packages: apt passes over it too, and says so. Translations are few in some (Debian's
 * security has English alone), so a language is absent where no suite has it.
 * @throws ChantalError `UPSTREAM_INVALID` for a component that no suite has: its name is wrong
 */
export function reportAbsentParts(
  { options, reporter }: AptReadRequest,
  suites: readonly { readonly said: SuiteRelease; readonly selection: SuiteSelection }[],
): void {
  const withComponents = suites.filter(({ said }) => !said.place.isFlat)
  const [first] = withComponents
  const nowhere = first?.selection.absentComponents.find((name) =>
    withComponents.every(({ selection }) => selection.absentComponents.includes(name)),
  )
  if (first && nowhere !== undefined) throw noComponent(first.said.place, first.said.release, nowhere)
  for (const { said, selection } of suites) {
    const { place } = said
    const { packageIndexes, absentComponents } = selection
    const absent: string[] = []
    if (absentComponents.length > 0) absent.push(`no component ${absentComponents.join(', ')}`)
    // The one index of a flat repository is for all architectures.
    if (!place.isFlat) {
      const present = new Set(packageIndexes.map(({ architecture }) => architecture))
      const wanted = options.architectures ?? []
      const architectures = wanted.filter((name) => name !== 'all' && !present.has(name))
      if (architectures.length > 0) absent.push(`no index for ${architectures.join(', ')}`)
    }
    if (options.sources && !packageIndexes.some(({ kind }) => kind === 'sources'))
      absent.push('no index of source packages')
    for (const what of absent) {
      reporter.report({
        type: 'warning',
        code: 'METADATA_MISSING',
        message: `${inSuite(place, 'Release')} lists ${what}`,
      })
    }
  }
  const languages = absentLanguages(options, suites)
  if (languages.length === 0) return
  reporter.report({
    type: 'warning',
    code: 'METADATA_MISSING',
    message: `no suite lists a translation of descriptions to ${languages.join(', ')}`,
  })
}

/** English is what an index itself describes packages in: it needs no translation. */
function absentLanguages(
  { languages = [] }: AptReadRequest['options'],
  suites: readonly { readonly selection: SuiteSelection }[],
): readonly string[] {
  const listed = new Set(suites.flatMap(({ selection }) => selection.others.map(({ language }) => language)))
  return languages.filter((name) => name !== 'en' && !listed.has(name))
}
