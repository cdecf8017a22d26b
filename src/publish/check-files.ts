import { TreeIncomplete } from '../core/publication.ts'
import type { Pool } from '../pool/pool.ts'
import { damagedMetadata } from './damaged-files.ts'
import { findShelfLinks, type ShelfLink } from './earlier-generation.ts'
import type { GenerationManifest } from './generation-manifest.ts'
import type { PublicationFolder } from './publication-folder.ts'
import type { DamagedFile, FileCheck } from './publications.ts'
import { isSound, packageIn, restore } from './published-package.ts'
import type { Shelves } from './shelves.ts'

/** Looks at what a generation has of its own, at what it shows of shelves, and at these shelves. */
export async function checkFiles(
  parts: { readonly pool: Pool; readonly shelves: Shelves; readonly folder: PublicationFolder },
  manifest: GenerationManifest,
  check: FileCheck,
  signal: AbortSignal,
): Promise<readonly DamagedFile[]> {
  const { folder, shelves } = parts
  const damaged: DamagedFile[] = []
  const isFull = () => damaged.length >= check.limit
  for await (const file of damagedMetadata(folder, manifest, check.deep)) {
    signal.throwIfAborted()
    if (isFull()) return damaged
    damaged.push({ path: file, isRecord: false, isRestored: false })
  }
  for await (const file of damagedDirect(parts, manifest, check, signal)) {
    if (isFull()) return damaged
    damaged.push(file)
  }
  const links = await linksOf(folder.folderOf(manifest.name))
  for (const repository of manifest.repositories) {
    await using opened = await shelves.open(repository)
    for await (const file of opened.unseen(manifest, links)) {
      if (isFull()) return damaged
      damaged.push(file)
    }
    if (check.looked.has(repository)) continue
    check.looked.add(repository)
    for await (const file of opened.damagedFiles(check, signal)) {
      if (isFull()) return damaged
      damaged.push(file)
    }
  }
  return damaged
}

/** None where the tree is gone, or something else than we make is in it. */
async function linksOf(tree: string): Promise<readonly ShelfLink[]> {
  try {
    return await findShelfLinks(tree)
  } catch (error) {
    if (error instanceof TreeIncomplete) return []
    throw error
  }
}

/** Packages that lie in the generation itself. */
async function* damagedDirect(
  { pool, folder }: { readonly pool: Pool; readonly folder: PublicationFolder },
  { name, direct }: GenerationManifest,
  { deep, repair }: FileCheck,
  signal: AbortSignal,
): AsyncGenerator<DamagedFile> {
  const root = folder.folderOf(name)
  for (const blob of direct) {
    signal.throwIfAborted()
    const published = packageIn(root, blob)
    if (await isSound(pool, published, deep)) continue
    yield { path: blob.path, isRecord: false, isRestored: repair && (await restore(pool, published)) }
  }
}
