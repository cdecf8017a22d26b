import { ChantalError } from '../../core/errors.ts'
import type { AppContext, UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'
import type { PublishResult } from './publish-result.ts'
import { type Content, openTree } from './published-tree.ts'

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
  const content = await context.catalog.read((reader) => resolveSource(reader, context.settings, source))
  const tree = await openTree(context, content)
  await using stage = await context.publications.exportTo(target, startedAt)
  await tree.fill({ now: stage.publishedAt, earlier: null, takeOver: null }, stage)
  signal.throwIfAborted()
  // A revision that is pruned while it is read has fewer packages, and says nothing.
  await assertKept(context, content)
  const { files } = await stage.commit()
  return {
    path: target,
    generation: stage.name,
    sources: [content.label],
    packages: tree.packages,
    files,
    signedBy: tree.signer?.kind === 'openpgp' ? tree.signer.fingerprint : null,
    unchanged: false,
    packageLinks: 0,
    durationMs: context.now().getTime() - startedAt.getTime(),
  }
}

async function assertKept({ catalog }: AppContext, { label, revisions }: Content): Promise<void> {
  for (const { repository, number } of revisions) {
    if (await catalog.read((reader) => reader.revision(repository, number))) continue
    throw new ChantalError('NOT_FOUND', `${label} was pruned while it was exported`, {
      hint: 'Export it again, or name it first with `chantal snapshot create`: snapshots are not pruned.',
      details: { source: label, repository, revision: number },
    })
  }
}
