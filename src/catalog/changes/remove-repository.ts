import { ChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { repositoryKey } from '../queries/repository-key.ts'
import { discardOpen } from './open-revision.ts'
import { deleteUnshown, pruneAll } from './prune.ts'

/**
 * First it holds nothing, in one transaction; then its rows go, in as many as it takes. Whoever opens a revision of it meanwhile
 * deletes what is left: see `openRevision`.
 */
export async function removeRepository(
  session: Session,
  id: RepositoryId,
  removedAt: Date,
  maxRows: number,
): Promise<{ readonly isDone: boolean }> {
  const { db } = session
  const repository = await repositoryKey(session, id)
  if (repository === null) return { isDone: true }
  await assertUnnamed(session, id, repository)
  await discardOpen(session, repository)
  await db
    .updateTable('repository')
    .set({ latest: null, checkpoint: 'null' })
    .where('pk', '=', repository)
    .execute()
  await pruneAll(session, repository, removedAt)
  if ((await deleteUnshown(session, repository, maxRows)) >= maxRows) return { isDone: false }
  for (const table of ['record_chunk', 'revision'] as const)
    await db.deleteFrom(table).where('repository', '=', repository).execute()
  await db.deleteFrom('repository').where('pk', '=', repository).execute()
  return { isDone: true }
}

async function assertUnnamed({ db }: Session, id: RepositoryId, repository: number): Promise<void> {
  for (const table of ['snapshot', 'view_snapshot_member', 'generation_source'] as const) {
    const named = await db
      .selectFrom(table)
      .select('revision')
      .where('repository', '=', repository)
      .limit(1)
      .execute()
    if (named.length === 0) continue
    throw new ChantalError(
      'USAGE_INVALID',
      `${id} cannot be removed: a ${table === 'generation_source' ? 'publication' : 'snapshot'} shows it`,
      {
        hint: 'See `chantal snapshot list` and `chantal publish list`.',
        details: { repository: id },
      },
    )
  }
}
