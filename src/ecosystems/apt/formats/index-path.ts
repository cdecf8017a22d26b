/** What a file that Release lists is for. */
export type IndexKind =
  | 'packages'
  | 'sources'
  | 'translation'
  | 'contents'
  /** DEP-11: component data, and the icons that belong to it. */
  | 'appstream'
  /** For command-not-found. */
  | 'commands'
  /** The list of patches from older versions of an index, or a patch. */
  | 'diff'
  | 'installer'
  /** A Release file, of one index or the whole. */
  | 'release'
  | 'other'

export interface IndexPath {
  readonly kind: IndexKind
  /** Its directory: `main`, `updates/main`; empty for what stands at the root, and for all of a flat repository. */
  readonly component: string
  /** `source` and `all` are among them. `null` where the path names none. */
  readonly architecture: string | null
  /** Whether it lists packages of the installer. */
  readonly isUdeb: boolean
  /** Of a translation: `en`, `pt_BR`. */
  readonly language: string | null
  /** Without its compression's extension: what the variants of one index have in common. */
  readonly plainPath: string
  readonly extension: '' | '.gz' | '.xz' | '.zst' | '.bz2' | '.lzma'
}

/**
 * Tells what a file of a Release is by its path, relative to the Release file. What is unknown is `other`, with the directory that it
 * is in as component.
 * @see https://wiki.debian.org/DebianRepository/Format
 */
export function classifyIndexPath(path: string): IndexPath {
  const extension = extensions.find((one) => path.endsWith(one)) ?? ''
  const plainPath = path.slice(0, path.length - extension.length)
  const isIndexDiff = /\.diff\/[^/]+$/.test(plainPath)
  const plain = isIndexDiff ? plainPath.slice(0, plainPath.lastIndexOf('.diff/')) : plainPath
  for (const { kind, pattern, isUdeb = false, architecture = null } of layouts) {
    const groups = pattern.exec(plain)?.groups
    if (groups === undefined) continue
    return {
      kind: isIndexDiff ? 'diff' : kind,
      component: groups['component'] ?? '',
      architecture: groups['architecture'] ?? architecture,
      isUdeb,
      language: groups['language'] ?? null,
      plainPath,
      extension,
    }
  }
  return {
    kind: isIndexDiff ? 'diff' : 'other',
    component: plain.slice(0, Math.max(plain.lastIndexOf('/'), 0)),
    architecture: null,
    isUdeb: false,
    language: null,
    plainPath,
    extension,
  }
}

const extensions = ['.gz', '.xz', '.zst', '.bz2', '.lzma'] as const

interface Layout {
  readonly kind: IndexKind
  readonly pattern: RegExp
  readonly isUdeb?: boolean
  /** Where the path has it not. */
  readonly architecture?: string
}

const component = /(?:(?<component>.+)\/)?/
const architecture = /(?<architecture>[^/.]+)/

function layout(kind: IndexKind, below: RegExp, more: Omit<Layout, 'kind' | 'pattern'> = {}): Layout {
  return { kind, pattern: new RegExp(`^${component.source}${below.source}$`), ...more }
}

function named(start: RegExp, end = /(?:)/): RegExp {
  return new RegExp(start.source + architecture.source + end.source)
}

/** The first that fits counts: those with more of a directory come before those with less. */
const layouts: readonly Layout[] = [
  layout('installer', named(/installer-/, /\/[\s\S]+/)),
  layout('packages', named(/debian-installer\/binary-/, /\/Packages/), { isUdeb: true }),
  layout('packages', named(/binary-/, /\/Packages/)),
  layout('packages', /Packages/),
  layout('sources', /source\/Sources/, { architecture: 'source' }),
  layout('sources', /Sources/, { architecture: 'source' }),
  layout('translation', /i18n\/Translation-(?<language>[^/.]+)/),
  layout('contents', named(/Contents-udeb-/), { isUdeb: true }),
  layout('contents', named(/Contents-/)),
  layout('appstream', named(/dep11\/Components-/, /\.yml/)),
  layout('appstream', named(/dep11\/CID-Index-/, /\.json/)),
  layout('appstream', /dep11\/[^/]+/),
  layout('commands', named(/cnf\/Commands-/)),
  layout('release', named(/debian-installer\/binary-/, /\/Release/), { isUdeb: true }),
  layout('release', named(/binary-/, /\/Release/)),
  layout('release', /source\/Release/, { architecture: 'source' }),
  layout('release', /(?:Release|InRelease|Release\.gpg)/),
]
