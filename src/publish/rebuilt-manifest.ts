import * as fs from 'node:fs/promises'
import path from 'node:path'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import { sizeOf } from './damaged-files.ts'
import { shelfOfLink } from './earlier-generation.ts'
import { orNull } from './folders.ts'
import type { GenerationManifest, MetadataEntry } from './generation-manifest.ts'
import type { PublicationFolder } from './publication-folder.ts'
import type { GenerationName } from './publications.ts'
import { timeOfGeneration } from './publish-time.ts'

/**
 * What looking at a generation's tree tells, for one whose manifest is damaged: so that it counts as one, and that what is addressed in it
 * goes on being carried along. Which files were packages, and which bytes each had, nobody can tell: it is not repeated, and nothing is
 * taken over from it.
 */
export async function rebuildManifest(
  folder: PublicationFolder,
  name: GenerationName,
): Promise<GenerationManifest> {
  const tree = folder.folderOf(name)
  const metadata: MetadataEntry[] = []
  const repositories = new Set<RepositoryId>()
  for (const entry of (await orNull(fs.readdir(tree, { recursive: true, withFileTypes: true }))) ?? []) {
    const absolute = path.join(entry.parentPath, entry.name)
    if (entry.isSymbolicLink()) {
      const link = shelfOfLink(await fs.readlink(absolute))
      if (link) repositories.add(link.repository)
    }
    const size = entry.isFile() ? sizeOf(absolute) : null
    if (size === null) continue
    const file = parseRelativePath(path.relative(tree, absolute))
    metadata.push({ path: file, role: roleOf(file), size, digest: null, supersededAt: null })
  }
  return {
    publication: folder.path,
    name,
    publishedAt: timeOfGeneration(name),
    files: metadata.length,
    repositories: [...repositories].sort(),
    metadata,
    direct: [],
    isRebuilt: true,
  }
}

/** An entry must not be carried along: a signature of the index before would be beside the one of now. */
function roleOf(file: RelativePath): MetadataEntry['role'] {
  return /[0-9a-f]{32}/.test(path.basename(file)) ? 'addressed' : 'plain'
}
