import type { PackageKey } from '../../core/model.ts'
import type { SuitePlace } from './suites.ts'

/**
 * `bookworm/main/bash_5.2.15-2_amd64`, in a flat repository `./bash_5.2.15-2_amd64`; the architecture of a source package is `source`.
 * A package for the installer may be called as one for the system, so it has `:udeb` after it.
 */
export function keyOf(
  { suite, isFlat }: Pick<SuitePlace, 'suite' | 'isFlat'>,
  component: string,
  pkg: {
    readonly name: string
    readonly version: string
    readonly architecture: string
    readonly kind: 'deb' | 'udeb' | 'source'
  },
): PackageKey {
  const place = isFlat ? suite : `${suite}/${component}/`
  const kind = pkg.kind === 'udeb' ? ':udeb' : ''
  return `${place}${pkg.name}_${pkg.version}_${pkg.architecture}${kind}` as PackageKey
}

/** Versions of one package in one suite. */
export function versionGroupOf({
  suite,
  kind,
  name,
  architecture,
}: {
  readonly suite: string
  readonly kind: 'deb' | 'udeb' | 'source'
  readonly name: string
  readonly architecture: string | null
}): string {
  return `${suite} ${kind} ${name} ${architecture ?? ''}`
}
