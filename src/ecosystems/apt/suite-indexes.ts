import { ChantalError } from '../../core/errors.ts'
import { classifyIndexPath, type IndexPath } from './formats/index-path.ts'
import type { Release, ReleaseFile } from './formats/release.ts'
import type { AptOptions } from './options.ts'
import { rootDocuments, type SuitePlace } from './suites.ts'

/** A component, and the folder of its indexes: for `updates/main` some suites use `main`. */
export interface Component {
  readonly name: string
  readonly folder: string
}

/** A file that a suite's Release lists, and what it is. Its path is relative to the Release file. */
export interface ListedIndex extends IndexPath {
  readonly file: ReleaseFile
}

/** An index that comes in several compressions. */
export interface IndexVariants {
  /** Path without the extension, relative to the Release file. */
  readonly plainPath: string
  readonly kind: ListedIndex['kind']
  readonly component: Component
  /** `source` for Sources. `null` in a flat repository, whose index holds packages for any architecture. */
  readonly architecture: string | null
  readonly isUdeb: boolean
  /** The one that is quickest to read first; what archives list and do not serve (uncompressed) last. */
  readonly variants: readonly [ListedIndex, ...ListedIndex[]]
}

/** What a repository takes of a suite. */
export interface SuiteSelection {
  readonly components: readonly Component[]
  /** Names of those that are configured, and that the suite lacks. */
  readonly absentComponents: readonly string[]
  /** `all` among them where it has indexes of its own. */
  readonly architectures: ReadonlySet<string>
  /** Packages and Sources. */
  readonly packageIndexes: readonly IndexVariants[]
  /** Whatever else of the chosen components and architectures is listed. */
  readonly others: readonly ListedIndex[]
}

const order = ['.gz', '.xz', '.zst', '.bz2', '.lzma', ''] as const

/**
 * Chooses from what a Release file lists.
 * @throws ChantalError `UPSTREAM_INVALID` where none of the components that are configured is there, or no index at all
 */
export function selectIndexes(place: SuitePlace, release: Release, options: AptOptions): SuiteSelection {
  const listed = listedIndexes(release)
  const { components, absentComponents } = place.isFlat
    ? { components: [{ name: '', folder: '' }], absentComponents: [] }
    : selectComponents(place, release, listed, options)
  const architectures = selectArchitectures(release, listed, options)
  const byFolder = new Map(components.map((component) => [component.folder, component]))
  const isOfArchitecture = (architecture: string | null) =>
    architecture === null || architectures.has(architecture) || (architecture === 'source' && options.sources)

  const indexes = new Map<string, [ListedIndex, ...ListedIndex[]]>()
  const others: ListedIndex[] = []
  for (const index of listed) {
    if (!isOfComponent(index, byFolder)) continue
    if (!isOfArchitecture(index.architecture) && index.kind !== 'installer') continue
    if (index.kind === 'installer' && !isOfInstaller(index, options, architectures)) continue
    if (index.kind === 'diff' && !options.diffs) continue
    if (isUnwantedLanguage(index, options)) continue
    if (index.kind !== 'packages' && index.kind !== 'sources') others.push(index)
    else if (index.kind === 'packages' || options.sources) {
      const variants = indexes.get(index.plainPath)
      if (variants) variants.push(index)
      else indexes.set(index.plainPath, [index])
    }
  }
  const packageIndexes = [...indexes].map(([plainPath, variants]) => {
    const [{ kind, architecture, isUdeb, component }] = variants
    const found = byFolder.get(component)
    if (!found) throw new Error(`an index of no component: ${plainPath}`)
    return { plainPath, kind, architecture, isUdeb, component: found, variants: inOrder(variants) }
  })
  if (!packageIndexes.some(({ kind }) => kind === 'packages')) throw nothingFound(place, release, options)
  return { components, absentComponents, architectures, packageIndexes, others }
}

/**
 * What a generated tree of a suite offers, packages or not. Unlike {@link selectIndexes}, it passes over what is configured and is
 * not there: a snapshot may be older than the configuration.
 * @param options `null` for all that upstream has
 */
export function publishedScope(
  place: SuitePlace,
  release: Release,
  options: AptOptions | null,
): { readonly components: readonly Component[]; readonly architectures: readonly string[] } {
  const listed = listedIndexes(release)
  const all = place.isFlat ? [{ name: '', folder: '' }] : componentsOf(release, listed)
  const wanted = options?.components
  const components =
    wanted && !place.isFlat ? distinct(wanted.flatMap((name) => findComponent(all, name) ?? [])) : all
  const known = architecturesIn(release, listed)
  const architectures = (options?.architectures ?? [...known]).filter(
    (name) => name !== 'all' && known.has(name),
  )
  // Clients read this one beside their own where Release says that it is apart.
  if (release.hasSeparateAllIndex) architectures.push('all')
  return { components, architectures }
}

/** The variants that are quickest to read first. */
export function inOrder<Variant extends Pick<IndexPath, 'extension'>>(
  variants: readonly [Variant, ...Variant[]],
): readonly [Variant, ...Variant[]] {
  const rank = ({ extension }: Variant) => order.indexOf(extension)
  const [first, ...rest] = [...variants].sort((a, b) => rank(a) - rank(b))
  return [first ?? variants[0], ...rest]
}

/** A flat Release may list itself. */
function listedIndexes(release: Release): readonly ListedIndex[] {
  return [...release.files.values()]
    .filter(({ path }) => !rootDocuments.has(path))
    .map((file) => ({ ...classifyIndexPath(file.path), file }))
}

/** Some vendors name none in the Release file, and have them all the same. */
function componentsOf(release: Release, listed: readonly ListedIndex[]): readonly Component[] {
  const indexes = listed.filter(({ kind }) => kind === 'packages' || kind === 'sources')
  const folders = new Set(indexes.map(({ component }) => component))
  const names =
    release.components.length > 0 ? release.components : [...folders].filter((folder) => folder !== '').sort()
  return distinct(names.map((name) => ({ name, folder: folderOf(name, folders) })))
}

function selectComponents(
  place: SuitePlace,
  release: Release,
  listed: readonly ListedIndex[],
  { components: wanted }: AptOptions,
): Pick<SuiteSelection, 'components' | 'absentComponents'> {
  const all = componentsOf(release, listed)
  if (!wanted) return { components: all, absentComponents: [] }
  const absentComponents = wanted.filter((name) => !findComponent(all, name))
  const components = distinct(wanted.flatMap((name) => findComponent(all, name) ?? []))
  const [absent] = absentComponents
  if (absent !== undefined && components.length === 0) throw noComponent(place, release, absent)
  return { components, absentComponents }
}

/** The error that a component is not there. */
export function noComponent({ suite }: SuitePlace, release: Release, component: string): ChantalError {
  const components = componentsOf(release, listedIndexes(release)).map(({ name }) => name)
  return new ChantalError('UPSTREAM_INVALID', `suite ${suite} has no component ${component}`, {
    hint: `It has ${components.join(', ') || 'none'}; correct "apt.components".`,
    details: { suite, component, components },
  })
}

function findComponent(all: readonly Component[], wanted: string): Component | undefined {
  return all.find(({ name }) => name === wanted) ?? all.find(({ name }) => lastPart(name) === wanted)
}

/** As apt does, the whole name and else its last part. */
function folderOf(name: string, folders: ReadonlySet<string>): string {
  return !folders.has(name) && folders.has(lastPart(name)) ? lastPart(name) : name
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

function distinct(components: readonly Component[]): readonly Component[] {
  return [...new Map(components.map((component) => [component.folder, component])).values()]
}

function selectArchitectures(
  release: Release,
  listed: readonly ListedIndex[],
  options: AptOptions,
): ReadonlySet<string> {
  return new Set([...(options.architectures ?? architecturesIn(release, listed)), 'all'])
}

function architecturesIn(release: Release, listed: readonly ListedIndex[]): ReadonlySet<string> {
  const known = new Set([
    ...release.architectures,
    ...listed.filter(({ kind }) => kind === 'packages').flatMap(({ architecture }) => architecture ?? []),
  ])
  known.delete('source')
  return known
}

/** Some archives keep Contents beside the Release file, for all components at once. */
function isOfComponent({ kind, component }: ListedIndex, byFolder: ReadonlyMap<string, Component>): boolean {
  if (byFolder.has(component)) return true
  if (component === '') return kind !== 'packages' && kind !== 'sources'
  return kind === 'other' && [...byFolder.keys()].some((folder) => component.startsWith(`${folder}/`))
}

function isOfInstaller(
  { architecture }: ListedIndex,
  { installer }: AptOptions,
  architectures: ReadonlySet<string>,
): boolean {
  return installer && (architecture === null || architectures.has(architecture))
}

function isUnwantedLanguage({ kind, language }: ListedIndex, { languages }: AptOptions): boolean {
  return (
    kind === 'translation' && language !== null && languages !== undefined && !languages.includes(language)
  )
}

function nothingFound(place: SuitePlace, release: Release, options: AptOptions): ChantalError {
  const { suite } = place
  return new ChantalError(
    'UPSTREAM_INVALID',
    `suite ${suite} lists no index of the packages that are wanted`,
    {
      hint:
        layoutHint(place, release) ??
        `It has the architectures ${release.architectures.join(', ') || '(none named)'}; compare "apt.architectures" and "apt.components".`,
      details: { suite, architectures: options.architectures ?? [], components: options.components ?? [] },
    },
  )
}

/** A suite that is taken for the other kind finds nothing, whatever else is configured. */
function layoutHint({ isFlat, folder }: SuitePlace, release: Release): string | null {
  const hasIndexesBeside = listedIndexes(release).some(
    ({ kind, component }) => component === '' && (kind === 'packages' || kind === 'sources'),
  )
  if (isFlat && !hasIndexesBeside)
    return 'It is not flat: its indexes lie in folders. The feed ends where `dists` lies, and a suite such as "bookworm" has no slash at its end.'
  if (!isFlat && hasIndexesBeside)
    return `Its indexes lie beside its Release file: as a flat repository it is called ${JSON.stringify(`${folder}/`)} under apt.suites.`
  return null
}
