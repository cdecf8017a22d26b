import type { RepositoryId } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import { pathTaken } from '../core/taken-path.ts'

/** How the files of a generation come to stand under its folder. */
export interface TreeLayout {
  /** Folders that are one symbolic link to the shelf of a repository: the highest that hold nothing but its packages. */
  readonly links: ReadonlyMap<string, RepositoryId>
  /** Packages seen through such a link, by repository. */
  readonly shelved: ReadonlyMap<RepositoryId, readonly RelativePath[]>
  /** Packages that lie beside metadata, or beside those of another repository: linked one by one. */
  readonly direct: readonly RelativePath[]
}

/**
 * @param packages with the repository of each
 * @param metadata every other file
 * @throws ChantalError `ALREADY_EXISTS` where one path is a file and a folder
 */
export function layOutTree(
  packages: ReadonlyMap<RelativePath, { readonly repository: RepositoryId }>,
  metadata: Iterable<RelativePath>,
): TreeLayout {
  const metadataPaths = [...metadata]
  // The one repository a folder's packages come from; null where it holds anything else.
  const owners = new Map<string, RepositoryId | null>([['', null]])
  for (const path of metadataPaths) markFolders(owners, path, null)
  for (const [path, { repository }] of packages) markFolders(owners, path, repository)
  for (const path of [...metadataPaths, ...packages.keys()]) {
    if (owners.has(path)) throw pathTaken(path, true)
  }
  return assign(packages, owners)
}

/** Folders of a path, the nearest first and the top (`''`) last. */
export function* foldersAbove(path: string): Generator<string> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    yield path.slice(0, end)
  yield ''
}

function markFolders(owners: Map<string, RepositoryId | null>, path: string, owner: RepositoryId | null) {
  for (const folder of foldersAbove(path)) {
    const before = owners.get(folder)
    const after = before === undefined || before === owner ? owner : null
    // What is above was marked no less when this was.
    if (before === after) return
    owners.set(folder, after)
  }
}

function assign(
  packages: ReadonlyMap<RelativePath, { readonly repository: RepositoryId }>,
  owners: ReadonlyMap<string, RepositoryId | null>,
): TreeLayout {
  const links = new Map<string, RepositoryId>()
  const shelved = new Map<RepositoryId, RelativePath[]>()
  const direct: RelativePath[] = []
  // By folder, because there are many packages in each: whether a link at or above it shows it.
  const isLinked = new Map<string, boolean>()
  for (const [path, { repository }] of packages) {
    const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
    let linked = isLinked.get(folder)
    if (linked === undefined) {
      const top = highestOwned(folder, owners)
      if (top !== null) links.set(top, repository)
      linked = top !== null
      isLinked.set(folder, linked)
    }
    if (!linked) {
      direct.push(path)
      continue
    }
    const list = shelved.get(repository)
    if (list) list.push(path)
    else shelved.set(repository, [path])
  }
  return { links, shelved, direct }
}

function highestOwned(folder: string, owners: ReadonlyMap<string, RepositoryId | null>): string | null {
  let highest: string | null = null
  for (let each = folder; owners.get(each); each = each.slice(0, Math.max(each.lastIndexOf('/'), 0))) {
    highest = each
  }
  return highest
}
