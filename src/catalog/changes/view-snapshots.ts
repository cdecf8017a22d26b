import { ChantalError } from '../../core/errors.ts'
import type { ViewSnapshotRecord } from '../catalog-records.ts'
import type { CatalogWriter } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { findViewSnapshots } from '../queries/view-snapshots.ts'
import { pinRevision } from './names.ts'

export async function createViewSnapshot(
  session: Session,
  snapshot: Parameters<CatalogWriter['createViewSnapshot']>[0],
): Promise<ViewSnapshotRecord> {
  const { view, name } = snapshot
  const [known] = await findViewSnapshots(session, { view, name })
  if (known) {
    throw new ChantalError('ALREADY_EXISTS', `${view} has a snapshot ${name} already`, {
      hint: 'Choose another name, or delete that snapshot first.',
      details: { view, snapshot: name },
    })
  }
  const { pk } = await session.db
    .insertInto('view_snapshot')
    .values({
      view,
      name,
      created_at: snapshot.createdAt.getTime(),
      description: snapshot.description,
      labels: JSON.stringify(snapshot.labels),
      created_by: snapshot.createdBy,
      pinned: snapshot.isPinned ? 1 : 0,
    })
    .returning('pk')
    .executeTakeFirstOrThrow()
  for (const [position, { repository, revision }] of snapshot.members.entries()) {
    await session.db
      .insertInto('view_snapshot_member')
      .values({
        snapshot: pk,
        position,
        repository: await pinRevision(session, repository, revision),
        revision,
      })
      .execute()
  }
  const [made] = await findViewSnapshots(session, { view, name })
  if (!made) throw new Error('a snapshot of a view is gone within its own transaction')
  return made
}

export async function deleteViewSnapshot({ db }: Session, view: string, name: string): Promise<void> {
  await db.deleteFrom('view_snapshot').where('view', '=', view).where('name', '=', name).execute()
}

export async function pinViewSnapshot(
  { db }: Session,
  view: string,
  name: string,
  isPinned: boolean,
): Promise<boolean> {
  const result = await db
    .updateTable('view_snapshot')
    .set({ pinned: isPinned ? 1 : 0 })
    .where('view', '=', view)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
