import type { EcosystemId, RepositoryId } from '../../core/model.ts'
import type { Session } from '../engine.ts'

export interface CheckedRepository {
  readonly pk: number
  readonly id: RepositoryId
  readonly ecosystem: EcosystemId
  readonly latest: number
  readonly revisions: readonly CheckedRevision[]
}

export interface CheckedRevision {
  readonly number: number
  readonly hasRecords: boolean
  readonly isSealed: boolean
  readonly isKept: boolean
  readonly packageCount: number
  readonly totalSize: number
}

/** Those that hold anything that somebody sees. Rows of the others are being made, or being deleted. */
export async function repositoriesToCheck({ db }: Session): Promise<readonly CheckedRepository[]> {
  const repositories = await db
    .selectFrom('repository')
    .select(['pk', 'id', 'ecosystem', 'latest'])
    .where('latest', '>', 0)
    .$narrowType<{ latest: number }>()
    .orderBy('id')
    .execute()
  const rows = await db.selectFrom('revision').selectAll().orderBy('repository').orderBy('number').execute()
  const revisions = Map.groupBy(rows, ({ repository }) => repository)
  return repositories.map((repository) => ({
    ...repository,
    revisions: (revisions.get(repository.pk) ?? []).map((row) => ({
      number: row.number,
      hasRecords: row.has_records === 1,
      isSealed: row.sealed_at !== null,
      isKept: row.pruned_at === null,
      packageCount: row.package_count,
      totalSize: row.total_size,
    })),
  }))
}
