import { statSync } from 'node:fs'
import path from 'node:path'
import type { GenerationManifest } from './generation-manifest.ts'
import type { PublicationFolder } from './publication-folder.ts'

/** What a generation has besides packages and is missing, or of another size than its manifest says. Relative paths. */
export function* damagedMetadata(folder: PublicationFolder, manifest: GenerationManifest): Generator<string> {
  const root = folder.folderOf(manifest.name)
  for (const { path: file, size } of manifest.metadata) if (sizeOf(path.join(root, file)) !== size) yield file
}

/** In bytes; `null` where it is no file. Synchronous: thousands at once cost a fifth of what promises do. */
export function sizeOf(file: string): number | null {
  const found = statSync(file, { throwIfNoEntry: false })
  return found?.isFile() ? found.size : null
}
