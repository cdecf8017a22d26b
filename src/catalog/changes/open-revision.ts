import { randomUUID } from 'node:crypto'
import type { Json } from '../../core/brand.ts'
import { isChantalError } from '../../core/errors.ts'
import type { RepositoryId, Revision } from '../../core/model.ts'
import type { OpenRevision } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { visibleIn } from '../queries/packages.ts'
import { knownRepositoryKey } from '../queries/repository-key.ts'
import { revisionRow } from '../queries/revisions.ts'
import { openRepositoryKey } from './open-repository.ts'
import { deleteUnshown } from './prune.ts'
import { dropChunks } from './record-chunks.ts'

/** After so many changes the planner's statistics are made anew. */
const analyzeAfterRows = 1000

export async function openRevision(session: Session, id: RepositoryId): Promise<OpenRevision> {
  const { db } = session
  const repository = await knownRepositoryKey(session, id)
  await discardOpen(session, repository)
  const { mode, has_records, latest } = await db
    .selectFrom('repository')
    .select(['mode', 'has_records', 'latest'])
    .where('pk', '=', repository)
    .executeTakeFirstOrThrow()
  // A removal that was interrupted left rows of what is not there any more.
  if (latest === null) await deleteUnshown(session, repository, Number.POSITIVE_INFINITY)
  const newest = await db
    .selectFrom('revision')
    .select(({ fn }) => fn.max('number').as('number'))
    .where('repository', '=', repository)
    .executeTakeFirst()
  const number = (newest?.number ?? 0) + 1
  const openedBy = randomUUID()
  await db
    .insertInto('revision')
    .values({
      repository,
      number,
      mode,
      has_records,
      sealed_at: null,
      package_count: 0,
      total_size: 0,
      pruned_at: null,
      pins: 0,
      opened_by: openedBy,
    })
    .execute()
  return { repository: id, number, openedBy }
}

export async function sealRevision(
  session: Session,
  revision: OpenRevision,
  sealedAt: Date,
  checkpoint: Json,
): Promise<Revision> {
  const { db, engine } = session
  const { number } = revision
  const repository = await openRepositoryKey(session, revision)
  const content = await measure(session, repository, number)
  const sealed = { sealed_at: sealedAt.getTime(), ...content }
  await db
    .updateTable('revision')
    .set({ ...sealed, opened_by: null })
    .where('repository', '=', repository)
    .where('number', '=', number)
    .execute()
  await db
    .updateTable('repository')
    .set({ latest: number, checkpoint: JSON.stringify(checkpoint) })
    .where('pk', '=', repository)
    .execute()
  const terms = await db
    .selectFrom('revision')
    .select(['mode', 'has_records'])
    .where('repository', '=', repository)
    .where('number', '=', number)
    .executeTakeFirstOrThrow()
  const changed = await db
    .selectFrom('package')
    .select('pk')
    .where('repository', '=', repository)
    .where('added_in', '=', number)
    .limit(analyzeAfterRows)
    .execute()
  if (changed.length === analyzeAfterRows) await engine.analyze(db)
  return revisionRow(revision.repository, { number, ...terms, ...sealed })
}

/** A blob that several files share counts once. */
async function measure({ db }: Session, repository: number, number: number) {
  const packages = await db
    .selectFrom('package')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('repository', '=', repository)
    .where(visibleIn(number))
    .executeTakeFirstOrThrow()
  const ofPackages = db
    .selectFrom('package')
    .innerJoin('package_file', 'package_file.package', 'package.pk')
    .select('package_file.blob')
    .where('repository', '=', repository)
    .where(visibleIn(number))
  const ofRepository = db
    .selectFrom('repository_file')
    .select('repository_file.blob')
    .where('repository', '=', repository)
    .where(visibleIn(number))
  const blobs = await db
    .selectFrom(ofPackages.union(ofRepository).as('used'))
    .innerJoin('blob', 'blob.pk', 'used.blob')
    .select(({ fn }) => fn.sum<number | string | null>('size').as('size'))
    .executeTakeFirst()
  return { package_count: packages.count, total_size: Number(blobs?.size ?? 0) }
}

/** Undoes what the open revision wrote, and nothing else. One that is not open, or another's, is left alone. */
export async function discardRevision(session: Session, revision: OpenRevision): Promise<void> {
  try {
    await discard(session, await openRepositoryKey(session, revision), revision.number)
  } catch (error) {
    if (!isChantalError(error, 'LEASE_LOST')) throw error
  }
}

/** Discards what others left open. The caller holds the repository's lease. */
export async function discardOpen(session: Session, repository: number): Promise<void> {
  const left = await session.db
    .selectFrom('revision')
    .select('number')
    .where('repository', '=', repository)
    .where('sealed_at', 'is', null)
    .execute()
  for (const { number } of left) await discard(session, repository, number)
}

async function discard(session: Session, repository: number, number: number): Promise<void> {
  const { db } = session
  await dropChunks(session, repository, number)
  for (const table of ['package', 'repository_file'] as const) {
    await db.deleteFrom(table).where('repository', '=', repository).where('added_in', '=', number).execute()
    await db
      .updateTable(table)
      .set({ removed_in: null })
      .where('repository', '=', repository)
      .where('removed_in', '=', number)
      .execute()
  }
  await db.deleteFrom('revision').where('repository', '=', repository).where('number', '=', number).execute()
}
