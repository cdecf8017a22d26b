import type { RepositoryId } from '../../core/model.ts'
import type { SyncRecord } from '../catalog-records.ts'
import type { Session } from '../engine.ts'

/** Newest first: of one repository by what came last, whatever the clocks of those who wrote it said. */
export async function findSyncs(
  { db }: Session,
  repository: RepositoryId | null,
  limit: number,
): Promise<readonly SyncRecord[]> {
  const newest = db.selectFrom('sync').selectAll().limit(limit)
  const query =
    repository === null
      ? newest.orderBy('started_at', 'desc').orderBy('pk', 'desc')
      : newest.where('repository', '=', repository).orderBy('pk', 'desc')
  const rows = await query.execute()
  return rows.map((row) => ({
    repository: row.repository,
    kind: row.kind,
    startedAt: new Date(row.started_at),
    finishedAt: new Date(row.finished_at),
    status: row.status,
    revision: row.revision,
    packages: row.packages,
    added: row.added,
    removed: row.removed,
    replaced: row.replaced,
    fetchedFiles: row.fetched_files,
    fetchedBytes: row.fetched_bytes,
    missing: JSON.parse(row.missing),
    warnings: JSON.parse(row.warnings),
    error: row.error === null ? null : JSON.parse(row.error),
    signedBy: row.signed_by,
  }))
}

export async function addSync({ db }: Session, record: SyncRecord): Promise<void> {
  await db
    .insertInto('sync')
    .values({
      repository: record.repository,
      kind: record.kind,
      started_at: record.startedAt.getTime(),
      finished_at: record.finishedAt.getTime(),
      status: record.status,
      revision: record.revision,
      packages: record.packages,
      added: record.added,
      removed: record.removed,
      replaced: record.replaced,
      fetched_files: record.fetchedFiles,
      fetched_bytes: record.fetchedBytes,
      missing: JSON.stringify(record.missing),
      warnings: JSON.stringify(record.warnings),
      error: record.error === null ? null : JSON.stringify(record.error),
      signed_by: record.signedBy,
    })
    .execute()
}
