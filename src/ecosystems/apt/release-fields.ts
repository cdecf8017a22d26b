import type { Release } from './formats/release.ts'
import { formatReleaseDate } from './formats/release-date.ts'
import { type AptOptions, validityOf } from './options.ts'
import type { SuitePlace } from './suites.ts'

type Field = readonly [name: string, value: string]

/** What a published suite consists of. */
export interface PublishedSuite {
  readonly place: SuitePlace
  /** Upstream's; `null` for a hosted repository. */
  readonly upstream: Release | null
  /** Whether clients find it elsewhere than upstream's: a flat repository in the tree of several. */
  readonly isMoved: boolean
  /** Names as clients are to write them. */
  readonly components: readonly string[]
  readonly architectures: readonly string[]
  /** Whether packages for all architectures have an index of their own. */
  readonly hasSeparateAllIndex: boolean
}

/** Fields that say something of upstream's tree, of its time, or of its key. `Signed-By` with our signature would lock clients out. */
const ours: ReadonlySet<string> = new Set([
  'date',
  'valid-until',
  'acquire-by-hash',
  'no-support-for-architecture-all',
  'architectures',
  'components',
  'signed-by',
])

/** Others cannot be written, and no client knows them. */
const fieldName = /^[A-Za-z][\w-]*$/

/** In the order in which archives write them; what else upstream says follows. */
const order = [
  'Origin',
  'Label',
  'Suite',
  'Version',
  'Codename',
  'Changelogs',
  'Snapshots',
  'Date',
  'Valid-Until',
  'NotAutomatic',
  'ButAutomaticUpgrades',
  'Acquire-By-Hash',
  'No-Support-for-Architecture-all',
  'Architectures',
  'Components',
  'Description',
]

/**
 * The fields of a generated Release file, without its list of files: what upstream says of itself and of how clients are to treat
 * it, as far as the configuration does not say otherwise, and what is true of our tree.
 */
export function releaseFields(
  { place, upstream, isMoved, components, architectures, hasSeparateAllIndex }: PublishedSuite,
  options: AptOptions,
  { repository, now }: { readonly repository: string; readonly now: Date },
): readonly Field[] {
  const values = new Map<string, Field>()
  const set = (name: string, value: string | null | undefined) => {
    if (value === undefined) return
    if (value === null || value === '') values.delete(name.toLowerCase())
    else values.set(name.toLowerCase(), [values.get(name.toLowerCase())?.[0] ?? name, value])
  }
  if (!upstream) {
    set('Origin', repository)
    set('Label', repository)
    if (!place.isFlat) {
      set('Suite', place.suite)
      set('Codename', place.suite)
    }
  }
  for (const { name, value } of upstream?.fields ?? [])
    if (!ours.has(name.toLowerCase()) && fieldName.test(name)) set(name, oneLine(value))
  const own = options.release ?? {}
  set('Origin', own.origin)
  set('Label', own.label)
  set('Suite', own.suite)
  set('Codename', own.codename)
  set('Version', own.version)
  set('Description', own.description)
  set('Changelogs', own.changelogs)
  set('Snapshots', own.snapshots)
  set('NotAutomatic', yes(own.not_automatic))
  set('ButAutomaticUpgrades', yes(own.but_automatic_upgrades))
  if (!values.has('notautomatic')) set('ButAutomaticUpgrades', null)
  const names = ['suite', 'codename'] as const
  if (isMoved && !names.some((name) => values.get(name)?.[1] === place.folder)) {
    // apt warns where neither is what its sources name. One that is free is the better one: clients pin by these.
    const free = names.find((name) => !values.has(name)) ?? 'codename'
    set(free === 'suite' ? 'Suite' : 'Codename', place.folder)
  }
  set('Date', formatReleaseDate(now))
  const validity = validityOf(options)
  if (validity !== null) set('Valid-Until', formatReleaseDate(new Date(now.getTime() + validity)))
  set('Acquire-By-Hash', 'yes')
  if (architectures.includes('all') && !hasSeparateAllIndex && !place.isFlat)
    set('No-Support-for-Architecture-all', 'Packages')
  if (architectures.length > 0) set('Architectures', architectures.join(' '))
  if (!place.isFlat) set('Components', components.join(' '))

  const known = order.flatMap((name) => {
    const field = values.get(name.toLowerCase())
    values.delete(name.toLowerCase())
    return field ? [field] : []
  })
  return [...known, ...values.values()]
}

/** A field whose value has several lines is one that says nothing which clients act on; folded, it stays one field. */
function oneLine(value: string): string {
  return value.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')
}

function yes(value: boolean | undefined): string | null | undefined {
  if (value === undefined) return undefined
  return value ? 'yes' : null
}
