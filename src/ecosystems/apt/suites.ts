import { joinRelativePath, parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { Release } from './formats/release.ts'

/** Where a suite's Release file and indexes lie, relative to the feed. */
export interface SuitePlace {
  /** As `bookworm`; `./` or `nest/` for a flat repository. */
  readonly suite: string
  /** `dists/bookworm`; empty where a flat repository is its own top. */
  readonly folder: RelativePath | ''
  /** Without components: its indexes lie beside the Release file. */
  readonly isFlat: boolean
}

/** As apt reads its sources: a suite that ends in a slash is a folder of its own, any other lies below `dists`. */
export function placeOfSuite(suite: string): SuitePlace {
  if (!suite.endsWith('/'))
    return { suite, folder: joinRelativePath(parseRelativePath('dists'), suite), isFlat: false }
  const folder = suite.replace(/^(\.?\/)+/, '').replace(/\/+$/, '')
  if (folder === '') return { suite: './', folder, isFlat: true }
  return { suite: `${folder}/`, folder: parseRelativePath(folder), isFlat: true }
}

/**
 * The suite whose Release file lies there. A flat repository may lie below `dists` too: it has indexes beside the Release file, and no components.
 */
export function suiteOfFolder(folder: string, { components, files }: Release): SuitePlace {
  const isFlat =
    components.length === 0 && [...files.keys()].some((path) => /^(Packages|Sources)(\.|$)/.test(path))
  return placeOfSuite(folder.startsWith('dists/') && !isFlat ? folder.slice('dists/'.length) : `${folder}/`)
}

/** @throws ChantalError `PATH_UNSAFE` */
export function inSuite({ folder }: SuitePlace, name: string): RelativePath {
  return joinRelativePath(folder, name)
}

/** What a path is called within the suite; `null` for one of another. */
export function nameInSuite({ folder }: SuitePlace, path: string): string | null {
  if (folder === '') return path
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null
}

/** The files that say what a suite holds, and who says so. */
export const rootDocuments: ReadonlySet<string> = new Set(['InRelease', 'Release', 'Release.gpg'])
