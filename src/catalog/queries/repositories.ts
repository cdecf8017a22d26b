import type { RepositoryId } from '../../core/model.ts'
import type { RepositoryRecord } from '../catalog-records.ts'
import type { Session } from '../engine.ts'
import { isBeingImported } from './imports.ts'
import { revisionRow } from './revisions.ts'

/** One, or all in order of their ids. */
export async function findRepositories(
  { db }: Session,
  id: RepositoryId | null,
): Promise<readonly RepositoryRecord[]> {
  let query = db
    .selectFrom('repository')
    .leftJoin('revision', (join) =>
      join
        .onRef('revision.repository', '=', 'repository.pk')
        .onRef('revision.number', '=', 'repository.latest'),
    )
    .select([
      'repository.id',
      'ecosystem',
      'repository.mode as configuredMode',
      'checkpoint',
      'revision.number',
      'revision.mode',
      'revision.sealed_at',
      'revision.package_count',
      'revision.total_size',
      'revision.has_records',
    ])
    .where(({ not }) => not(isBeingImported))
    .orderBy('repository.id')
  if (id !== null) query = query.where('repository.id', '=', id)
  const rows = await query.execute()
  return rows.map((row) => ({
    id: row.id,
    ecosystem: row.ecosystem,
    mode: row.configuredMode,
    latest:
      row.number === null ||
      row.mode === null ||
      row.sealed_at === null ||
      row.package_count === null ||
      row.total_size === null ||
      row.has_records === null
        ? null
        : revisionRow(row.id, {
            number: row.number,
            mode: row.mode,
            sealed_at: row.sealed_at,
            package_count: row.package_count,
            total_size: row.total_size,
            has_records: row.has_records,
          }),
    checkpoint: JSON.parse(row.checkpoint),
  }))
}
