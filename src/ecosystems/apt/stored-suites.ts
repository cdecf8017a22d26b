import { splitCleartextMessage } from '../../codec/cleartext-message.ts'
import { readWhole } from '../../core/bytes.ts'
import type { StoredFile } from '../../core/model.ts'
import type { RevisionContent } from '../ecosystem.ts'
import { classifyIndexPath, type IndexPath } from './formats/index-path.ts'
import { parseRelease, type Release } from './formats/release.ts'
import { nameInSuite, rootDocuments, type SuitePlace, suiteOfFolder } from './suites.ts'

/** A suite as a revision holds it. */
export interface StoredSuite {
  readonly place: SuitePlace
  /** What upstream's Release file says. It was verified before it was stored. */
  readonly release: Release
  /** All that the revision holds of the suite besides packages. */
  readonly files: readonly StoredSuiteFile[]
}

export interface StoredSuiteFile {
  readonly file: StoredFile
  /** Relative to the Release file. */
  readonly name: string
  readonly index: IndexPath
}

/**
 * Finds the suites by what the revision holds, and not by what is configured now: a snapshot is published as it was frozen.
 * A hosted repository holds none.
 */
export async function readStoredSuites({
  files,
  read,
}: Pick<RevisionContent, 'files' | 'read'>): Promise<readonly StoredSuite[]> {
  const suites: (StoredSuite & { readonly files: StoredSuiteFile[] })[] = []
  for (const [folder, root] of rootsOf(files)) {
    if (suites.some((suite) => lists(suite, root.path))) continue
    const bytes = await readWhole(read(root.digest))
    const isSigned = root.path.endsWith('InRelease')
    const text = isSigned ? splitCleartextMessage(bytes).text : Buffer.from(bytes).toString('utf8')
    const release = parseRelease(text, root.path)
    suites.push({ place: suiteOfFolder(folder, release), release, files: [] })
  }
  // A file belongs to the innermost of the suites that it lies in.
  const innermostFirst = suites.toReversed()
  for (const file of files) {
    for (const { place, files: own } of innermostFirst) {
      const name = nameInSuite(place, file.path)
      if (name === null) continue
      own.push({ file, name, index: classifyIndexPath(name) })
      break
    }
  }
  return suites.sort((a, b) => (a.place.suite < b.place.suite ? -1 : 1))
}

/** The file that speaks for each folder that has one: InRelease where it is there. Outer folders come first. */
function rootsOf(files: readonly StoredFile[]): readonly (readonly [folder: string, root: StoredFile])[] {
  const roots = new Map<string, StoredFile>()
  for (const file of files) {
    const slash = file.path.lastIndexOf('/')
    const [folder, name] = [file.path.slice(0, Math.max(slash, 0)), file.path.slice(slash + 1)]
    if (name === 'InRelease' || (name === 'Release' && !roots.has(folder))) roots.set(folder, file)
  }
  return [...roots].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
}

/** Beside each index some archives put a Release file of its own, and list it. What a flat one lists in other folders is not taken. */
function lists({ place, release }: StoredSuite, path: string): boolean {
  const name = place.isFlat ? null : nameInSuite(place, path)
  return name !== null && release.files.has(name)
}

export function isRootDocument({ name }: StoredSuiteFile): boolean {
  return rootDocuments.has(name)
}
