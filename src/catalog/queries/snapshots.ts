import type { RepositoryId } from '../../core/model.ts'
import type { SnapshotRecord } from '../catalog-records.ts'
import type { Session } from '../engine.ts'
import { revisionRow } from './revisions.ts'

/** In order of creation. */
export async function findSnapshots(
  { db }: Session,
  where: { readonly repository?: RepositoryId | undefined; readonly name?: string },
): Promise<readonly SnapshotRecord[]> {
  let query = db
    .selectFrom('snapshot')
    .innerJoin('repository', 'repository.pk', 'snapshot.repository')
    .innerJoin('revision', (join) =>
      join
        .onRef('revision.repository', '=', 'snapshot.repository')
        .onRef('revision.number', '=', 'snapshot.revision'),
    )
    .select([
      'repository.id',
      'name',
      'created_at',
      'description',
      'labels',
      'created_by',
      'pinned',
      'number',
      'revision.mode',
      'sealed_at',
      'package_count',
      'total_size',
      'revision.has_records',
    ])
    .where('sealed_at', 'is not', null)
    .$narrowType<{ sealed_at: number }>()
    .orderBy('created_at')
    .orderBy('snapshot.pk')
  if (where.repository !== undefined) query = query.where('repository.id', '=', where.repository)
  if (where.name !== undefined) query = query.where('name', '=', where.name)
  const rows = await query.execute()
  return rows.map((row) => ({
    repository: row.id,
    name: row.name,
    revision: revisionRow(row.id, row),
    createdAt: new Date(row.created_at),
    description: row.description,
    labels: JSON.parse(row.labels),
    createdBy: row.created_by,
    isPinned: row.pinned === 1,
  }))
}
