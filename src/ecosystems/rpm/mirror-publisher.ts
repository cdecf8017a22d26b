import type { StoredFile } from '../../core/model.ts'
import type { PublicationSink, PublishedRole } from '../../core/publication.ts'
import { extraFilesPath, repomdKeyPath, repomdPath, signaturePath, treeinfoPaths } from './metadata.ts'
import type { RpmPublishInput } from './publisher.ts'

/** Upstream's tree, byte for byte: its metadata, its signature, its packages, its installer images. */
export async function publishMirror(
  { repository, files }: RpmPublishInput,
  sink: PublicationSink,
): Promise<void> {
  for (const file of files) {
    if (isMetadata(file)) await sink.copy(file, roleOf(file))
    else await sink.place(file, repository)
  }
}

/** What changes with every state of upstream; the rest (images, delta packages) stands on the shelf. */
export function isMetadata({ path }: StoredFile): boolean {
  return path.startsWith('repodata/') || treeinfoPaths.includes(path) || path === extraFilesPath
}

/** Only a name that changes with the content may stay for clients of the generation before. */
export function roleOf({ path }: StoredFile): PublishedRole {
  if (path === repomdPath || path === signaturePath || path === repomdKeyPath) return 'entry'
  // createrepo puts the checksum before the name, whatever the algorithm.
  return /\/[0-9a-f]{32,128}-[^/]+$/.test(path) ? 'addressed' : 'plain'
}
