import type { UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'
import type { PublishResult } from './publish-result.ts'
import { fillTree, signerFor } from './publish-revision.ts'

/**
 * Writes one exact tree of plain files, no link in it, for media and for copying to places without Chantal.
 * @param input.target an absolute path that does not exist, or an empty folder
 * @throws ChantalError `NOT_FOUND`, `ALREADY_EXISTS`, `BLOB_MISSING`, `SIGNING_FAILED`, `DISK_FULL`, `NOT_WRITABLE`
 */
export const exportSource: UseCase<
  { readonly source: string; readonly target: string },
  PublishResult
> = async (context, { source, target }, signal) => {
  const startedAt = context.now()
  const { label, revision } = await context.catalog.read((reader) =>
    resolveSource(reader, context.settings, source),
  )
  const signer = await signerFor(context, revision)
  await using stage = await context.publications.exportTo(target, startedAt)
  await fillTree(context, { revision, signer, now: stage.publishedAt, earlier: null }, stage)
  signal.throwIfAborted()
  const { files } = await stage.commit()
  return {
    path: target,
    generation: stage.name,
    sources: [label],
    packages: revision.packageCount,
    files,
    signedBy: signer?.kind === 'openpgp' ? signer.fingerprint : null,
    unchanged: false,
    packageLinks: 0,
    durationMs: context.now().getTime() - startedAt.getTime(),
  }
}
