import type { PublicationSink } from '../../core/publication.ts'
import { hashPath } from './fetch-indexes.ts'
import type { AptPublishInput } from './publisher.ts'
import { isRootDocument, readStoredSuites, type StoredSuiteFile } from './stored-suites.ts'

/** Upstream's tree, byte for byte: Release files and signatures, indexes under their names and their checksums, packages. */
export async function publishMirror(input: AptPublishInput, sink: PublicationSink): Promise<void> {
  const { repository } = input
  for (const { place, release, files } of await readStoredSuites(input)) {
    for (const stored of files) {
      const { file, name } = stored
      if (isImage(stored)) {
        await sink.place(file, repository)
        continue
      }
      await sink.copy(file, isRootDocument(stored) ? 'entry' : 'plain')
      if (!release.acquireByHash) continue
      for (const checksum of release.files.get(name)?.checksums ?? [])
        await sink.alias(hashPath(place, name, checksum), file.path, 'addressed')
    }
  }
}

/** What boots an installer is large, and seldom changes: it stands on the shelf. The list of it changes with it. */
export function isImage({ name, index }: StoredSuiteFile): boolean {
  return index.kind === 'installer' && !/\/(SHA256SUMS|MD5SUMS|SHA512SUMS)(\.[a-z0-9]+)?$/.test(name)
}
