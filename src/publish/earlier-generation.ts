import * as fs from 'node:fs/promises'
import path from 'node:path'
import { hasSystemCode } from '../core/errors.ts'
import type { RepositoryId } from '../core/model.ts'
import { TreeIncomplete } from '../core/publication.ts'
import type { GenerationManifest } from './generation-manifest.ts'
import type { PublicationFolder } from './publication-folder.ts'
import { foldersAbove } from './tree-layout.ts'

/** A finished generation that another one is to show again, or to take packages over from. */
export interface EarlierGeneration {
  readonly folder: PublicationFolder
  readonly manifest: GenerationManifest
  /** Whether its whole tree is shown again. */
  readonly isRepeated: boolean
}

/** A folder of a tree that is one symbolic link to a shelf. */
export interface ShelfLink {
  /** Relative to the tree. */
  readonly folder: string
  readonly repository: RepositoryId
  readonly shelf: number
  /** Where it leads to, relative to the shelf: empty for all of it. */
  readonly below: string
}

/** The links of a tree, found by looking: there are few files besides them. @throws TreeIncomplete */
export async function findShelfLinks(tree: string): Promise<readonly ShelfLink[]> {
  const found: ShelfLink[] = []
  const collect = async (folder: string): Promise<void> => {
    for (const entry of await entriesOf(path.join(tree, folder))) {
      const each = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) await collect(each)
      if (!entry.isSymbolicLink()) continue
      const link = shelfOfLink(await fs.readlink(path.join(tree, each)))
      if (link === null) throw new TreeIncomplete(`a link that leads to no shelf: ${tree}/${each}`)
      found.push({ folder: each, ...link })
    }
  }
  await collect('')
  return found
}

/** Where a link with this target leads to; `null` where that is no shelf. */
export function shelfOfLink(target: string): Omit<ShelfLink, 'folder'> | null {
  const [, repository, shelf, below = ''] =
    /(?:^|\/)\.shelves\/([^/]+)\/([1-9]\d*)(?:\/(.+))?$/.exec(target) ?? []
  return repository === undefined
    ? null
    : { repository: repository as RepositoryId, shelf: Number(shelf), below }
}

async function entriesOf(folder: string) {
  try {
    return await fs.readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new TreeIncomplete(`a folder of an earlier tree is gone: ${folder}`, { cause: error })
  }
}

/** Tells of paths on a shelf whether links to it show them. @param below where these lead to, relative to the shelf */
export function shownBelow(below: readonly string[]): (file: string) => boolean {
  if (below.includes('')) return () => true
  const folders = below.map((folder) => `${folder}/`)
  return (file) => folders.some((folder) => file.startsWith(folder))
}

/** Whether any of `files` lies where one of the links is to be, above it, or below. */
export function disturbLinks(files: readonly string[], links: readonly ShelfLink[]): boolean {
  const folders = new Set<string>(links.map(({ folder }) => folder))
  return files.some(
    (file) =>
      folders.has(file) ||
      [...foldersAbove(file)].some((folder) => folders.has(folder)) ||
      links.some(({ folder }) => folder.startsWith(`${file}/`)),
  )
}
