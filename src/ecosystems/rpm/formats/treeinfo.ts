import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import { parseRelativePath, type RelativePath, withoutDots } from '../../../core/path.ts'
import { type IniSections, readIni } from './ini.ts'

/** An installable tree: what boots the installer, and which repositories lie with it. */
export interface Treeinfo {
  /**
   * Every file of `[checksums]`, `[images-*]` and `[stage2]`, each once, in the order of first mention. `repodata/repomd.xml` is
   * often among them. Some may not exist upstream.
   */
  readonly files: readonly TreeFile[]
  /** Folders of repositories, of variants and add-ons, each once. */
  readonly variants: readonly TreeVariant[]
  readonly release: {
    readonly name: string | null
    readonly short: string | null
    readonly version: string | null
  }
  readonly architecture: string | null
  /** In seconds since 1970; upstreams write fractions. */
  readonly buildTimestamp: number | null
  readonly platforms: readonly string[]
  /** `null` where the tree is not one of a set of media. */
  readonly media: { readonly disc: number; readonly total: number } | null
}

export interface TreeFile {
  readonly path: RelativePath
  /** `null` where the treeinfo names the file without a checksum, or with one that is not known. */
  readonly checksum: Checksum | null
}

export interface TreeVariant {
  readonly id: string
  readonly kind: 'variant' | 'addon' | 'general'
  readonly repository: TreeFolder | null
  readonly packages: TreeFolder | null
}

/** `inside`: a folder of this tree, `''` the tree itself. `outside`: elsewhere, as written; not to be followed. */
export type TreeFolder =
  | { readonly where: 'inside'; readonly path: RelativePath | '' }
  | { readonly where: 'outside'; readonly reference: string }

/** Whether a folder is a repository other than the one at the top of the tree. */
export function isElsewhere(repository: TreeFolder | null): repository is TreeFolder {
  return repository !== null && !(repository.where === 'inside' && repository.path === '')
}

/** Whether a file is metadata of a repository: of the one at the top of the tree, or of another one within. */
export function isRepodata(path: string): boolean {
  return /(?:^|\/)repodata\//.test(withoutDots(path))
}

/**
 * Reads `.treeinfo` or `treeinfo`, productmd's or an older one, whole or in part.
 * @throws ChantalError `PATH_UNSAFE` for a file outside the tree; `UPSTREAM_INVALID` for text without any section
 * @see productmd, `doc/treeinfo-1.1.rst`
 */
export function parseTreeinfo(text: string): Treeinfo {
  const sections = readIni(text)
  if (sections.size === 0) {
    throw new ChantalError('UPSTREAM_INVALID', 'treeinfo has no section', {
      hint: 'Upstream may answer with an error page where it has no treeinfo.',
    })
  }
  const general = sections.get('general')
  const tree = sections.get('tree')
  const release = sections.get('release')
  return {
    files: filesOf(sections),
    variants: variantsOf(sections),
    release: {
      name: textOf(release?.get('name') ?? general?.get('family')),
      short: textOf(release?.get('short')),
      version: textOf(release?.get('version') ?? general?.get('version')),
    },
    architecture: textOf(tree?.get('arch') ?? general?.get('arch')),
    buildTimestamp: numberOf(tree?.get('build_timestamp') ?? general?.get('timestamp')),
    platforms: listOf(tree?.get('platforms') ?? general?.get('platforms')),
    media: mediaOf(sections.get('media')),
  }
}

function filesOf(sections: IniSections): readonly TreeFile[] {
  const files = new Map<RelativePath, Checksum | null>()
  for (const [path, value] of sections.get('checksums') ?? []) files.set(treePath(path), checksumOf(value))
  const mention = (value: string): void => {
    if (value === '') return
    const path = treePath(value)
    if (!files.has(path)) files.set(path, null)
  }
  for (const [section, values] of sections) {
    if (section.startsWith('images-')) for (const path of values.values()) mention(path)
  }
  const stage2 = sections.get('stage2')
  for (const key of ['mainimage', 'instimage']) mention(stage2?.get(key) ?? '')
  return [...files].map(([path, checksum]) => ({ path, checksum }))
}

/** Whether a text has a section that every treeinfo has one of: some servers answer with a page for what they do not have. */
export function looksLikeTreeinfo(text: string): boolean {
  // Blanks of this line alone: `\s` would run on through all empty lines, from each of them.
  return /^[^\S\r\n\u2028\u2029]*\[(general|header|release|tree|checksums)\]/m.test(text)
}

/** Some write `./images/boot.iso`, some two slashes; the file is the same. */
function treePath(text: string): RelativePath {
  return parseRelativePath(withoutDots(text))
}

function checksumOf(value: string): Checksum | null {
  const colon = value.indexOf(':')
  if (colon < 0) return null
  try {
    return parseChecksum(value.slice(0, colon).trim(), value.slice(colon + 1))
  } catch {
    // An algorithm of another day; the file counts as one without a checksum.
    return null
  }
}

function variantsOf(sections: IniSections): readonly TreeVariant[] {
  const variants: TreeVariant[] = []
  for (const [section, values] of sections) {
    const named = /^(variant|addon)-(.+)$/.exec(section)
    const kind = named?.[1] === 'variant' ? 'variant' : named?.[1] === 'addon' ? 'addon' : null
    if (kind === null) continue
    variants.push({ id: named?.[2] ?? '', kind, ...foldersOf(values, 'repository', 'packages') })
  }
  const general = sections.get('general')
  // Trees of before productmd say it here alone.
  if (variants.length > 0 || !general) return variants
  const folders = foldersOf(general, 'repository', 'packagedir')
  if (folders.repository === null && folders.packages === null) return []
  return [{ id: general.get('variant') ?? '', kind: 'general', ...folders }]
}

function foldersOf(
  values: ReadonlyMap<string, string>,
  repository: string,
  packages: string,
): Pick<TreeVariant, 'repository' | 'packages'> {
  return { repository: repositoryOf(values.get(repository)), packages: folderOf(values.get(packages)) }
}

/** The folder of a repository, as a treeinfo writes it: trees of before productmd name that of its metadata. */
export function repositoryOf(reference: string | undefined): TreeFolder | null {
  const folder = folderOf(reference)
  if (folder?.where !== 'inside') return folder
  const path = folder.path.replace(/(?:^|\/)repodata$/, '')
  return { where: 'inside', path: path === '' ? '' : parseRelativePath(path) }
}

function folderOf(reference: string | undefined): TreeFolder | null {
  if (reference === undefined || reference === '') return null
  const path = withoutDots(reference).replace(/\/+$/, '')
  if (path === '.' || (path === '' && !reference.startsWith('/'))) return { where: 'inside', path: '' }
  try {
    return { where: 'inside', path: parseRelativePath(path) }
  } catch {
    return { where: 'outside', reference }
  }
}

function mediaOf(media: ReadonlyMap<string, string> | undefined): Treeinfo['media'] {
  const disc = numberOf(media?.get('discnum'))
  const total = numberOf(media?.get('totaldiscs'))
  return disc === null || total === null ? null : { disc, total }
}

function textOf(value: string | undefined): string | null {
  return value === undefined || value === '' ? null : value
}

function numberOf(value: string | undefined): number | null {
  return value !== undefined && /^\d+(?:\.\d*)?$/.test(value) ? Number(value) : null
}

/** What a value lists, parted by commas. */
export function listOf(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
