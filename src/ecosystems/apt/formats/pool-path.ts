import { ChantalError } from '../../../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../../core/path.ts'

/** What a binary package's place in the pool is made of. */
export interface PoolNames {
  /** The source package's name; of a package that does not say, its own. */
  readonly source: string
  readonly name: string
  /** With its epoch, if it has one. */
  readonly version: string
  readonly architecture: string
  readonly isUdeb: boolean
}

/**
 * Where Debian's archive would put a package: `pool/main/libf/libfoo/libfoo1_1.0-1_amd64.deb`. The epoch is not in the file's name.
 * @throws ChantalError `UPSTREAM_INVALID` for a name, version or architecture that dpkg would refuse; `PATH_UNSAFE` for a component that
 *   leads elsewhere, or names that are too long
 */
export function poolPath(component: string, names: PoolNames): RelativePath {
  const source = checkedName(names.source)
  const file = [checkedName(names.name), withoutEpoch(names.version), checkedArchitecture(names.architecture)]
  const folder = `pool/${component}/${poolPrefix(source)}/${source}`
  return parseRelativePath(`${folder}/${file.join('_')}.${names.isUdeb ? 'udeb' : 'deb'}`)
}

/** The first letter; of libraries four, or one folder would hold a third of all. */
function poolPrefix(source: string): string {
  return /^lib./.test(source) ? source.slice(0, 4) : source.slice(0, 1)
}

/** @see dpkg, lib/dpkg/parsehelp.c */
function checkedName(name: string): string {
  if (/^[0-9A-Za-z][0-9A-Za-z+._-]*$/.test(name)) return name
  throw invalid('name of a package', name, 'letters, digits and + . - _')
}

/** @see Debian Policy 5.6.12 */
function withoutEpoch(version: string): string {
  const [, bare] = /^(?:\d+:)?([0-9A-Za-z][0-9A-Za-z.+~-]*)$/.exec(version) ?? []
  if (bare !== undefined) return bare
  throw invalid('version', version, 'an epoch, and letters, digits and . + - ~')
}

function checkedArchitecture(architecture: string): string {
  if (/^[0-9a-z][0-9a-z-]*$/.test(architecture)) return architecture
  throw invalid('architecture', architecture, 'letters, digits and -')
}

function invalid(what: string, found: string, expected: string): ChantalError {
  const shown = JSON.stringify(found.slice(0, 200))
  return new ChantalError('UPSTREAM_INVALID', `not a sound Debian package: ${shown} is no ${what}`, {
    hint: `It may hold ${expected}.`,
  })
}
