import type { Revision } from '../../core/model.ts'
import type { ViewSnapshotRecord } from '../catalog-records.ts'
import type { Session } from '../engine.ts'
import { revisionRow } from './revisions.ts'

/** In order of creation. */
export async function findViewSnapshots(
  { db }: Session,
  where: { readonly view?: string | undefined; readonly name?: string },
): Promise<readonly ViewSnapshotRecord[]> {
  let snapshots = db.selectFrom('view_snapshot').selectAll().orderBy('created_at').orderBy('pk')
  let members = db
    .selectFrom('view_snapshot_member')
    .innerJoin('view_snapshot', 'view_snapshot.pk', 'view_snapshot_member.snapshot')
    .innerJoin('repository', 'repository.pk', 'view_snapshot_member.repository')
    .innerJoin('revision', (join) =>
      join
        .onRef('revision.repository', '=', 'view_snapshot_member.repository')
        .onRef('revision.number', '=', 'view_snapshot_member.revision'),
    )
    .select([
      'snapshot',
      'repository.id',
      'number',
      'revision.mode',
      'sealed_at',
      'package_count',
      'total_size',
      'revision.has_records',
    ])
    .where('sealed_at', 'is not', null)
    .$narrowType<{ sealed_at: number }>()
    .orderBy('snapshot')
    .orderBy('position')
  if (where.view !== undefined) {
    snapshots = snapshots.where('view', '=', where.view)
    members = members.where('view', '=', where.view)
  }
  if (where.name !== undefined) {
    snapshots = snapshots.where('name', '=', where.name)
    members = members.where('name', '=', where.name)
  }
  const revisions = Map.groupBy(await members.execute(), ({ snapshot }) => snapshot)
  const rows = await snapshots.execute()
  return rows.map((row) => ({
    view: row.view,
    name: row.name,
    revisions: atLeastOne((revisions.get(row.pk) ?? []).map((member) => revisionRow(member.id, member))),
    createdAt: new Date(row.created_at),
    description: row.description,
    labels: JSON.parse(row.labels),
    createdBy: row.created_by,
    isPinned: row.pinned === 1,
  }))
}

function atLeastOne([first, ...rest]: readonly Revision[]): ViewSnapshotRecord['revisions'] {
  if (!first) throw new Error('a snapshot of a view names no revision')
  return [first, ...rest]
}
