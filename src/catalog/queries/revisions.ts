import type { RepositoryId, RepositoryMode, Revision } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { repositoryKey } from './repository-key.ts'
import { isPrunable } from './roots.ts'

/** Sealed and kept revisions of one repository, oldest first. */
export async function keptRevisions(session: Session, id: RepositoryId): Promise<readonly Revision[]> {
  const repository = await repositoryKey(session, id)
  if (repository === null) return []
  const rows = await kept(session, repository).orderBy('number').execute()
  return rows.map((row) => revisionRow(id, row))
}

export async function keptRevision(
  session: Session,
  id: RepositoryId,
  number: number,
): Promise<Revision | null> {
  const repository = await repositoryKey(session, id)
  if (repository === null) return null
  const row = await kept(session, repository).where('number', '=', number).executeTakeFirst()
  return row ? revisionRow(id, row) : null
}

/** The one that was latest at `time`; `null` where that one is no longer kept. */
export async function revisionAt(session: Session, id: RepositoryId, time: Date): Promise<Revision | null> {
  const repository = await repositoryKey(session, id)
  if (repository === null) return null
  const row = await session.db
    .selectFrom('revision')
    .select(['number', 'pruned_at'])
    .where('repository', '=', repository)
    .where('sealed_at', 'is not', null)
    .where('sealed_at', '<=', time.getTime())
    .orderBy('number', 'desc')
    .executeTakeFirst()
  return row && row.pruned_at === null ? keptRevision(session, id, row.number) : null
}

export async function countPrunable({ db }: Session, before: Date): Promise<number> {
  const { revisions } = await db
    .selectFrom('revision')
    .select(({ fn }) => fn.countAll<number>().as('revisions'))
    .where('pruned_at', 'is', null)
    .where(isPrunable(before))
    .executeTakeFirstOrThrow()
  return revisions
}

interface SealedRow {
  readonly number: number
  readonly mode: RepositoryMode
  readonly sealed_at: number
  readonly package_count: number
  readonly total_size: number
  readonly has_records: number
}

export function revisionRow(repository: RepositoryId, row: SealedRow): Revision {
  return {
    repository,
    number: row.number,
    mode: row.mode,
    sealedAt: new Date(row.sealed_at),
    packageCount: row.package_count,
    totalSize: row.total_size,
    hasRecords: row.has_records === 1,
  }
}

function kept({ db }: Session, repository: number) {
  return db
    .selectFrom('revision')
    .select(['number', 'mode', 'sealed_at', 'package_count', 'total_size', 'has_records'])
    .where('repository', '=', repository)
    .where('pruned_at', 'is', null)
    .where('sealed_at', 'is not', null)
    .$narrowType<{ sealed_at: number }>()
}
