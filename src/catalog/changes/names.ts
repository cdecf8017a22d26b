import { ChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { GenerationRecord, SnapshotRecord } from '../catalog-records.ts'
import type { CatalogWriter } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { knownRepositoryKey, repositoryKey } from '../queries/repository-key.ts'
import { keptRevision } from '../queries/revisions.ts'
import { findSnapshots } from '../queries/snapshots.ts'
import { takenOver } from './open-repository.ts'

export async function saveRepository(
  { db }: Session,
  repository: Parameters<CatalogWriter['saveRepository']>[0],
): Promise<void> {
  const { id, ecosystem, mode, hasRecords = mode !== 'mirror' } = repository
  const terms = { mode, has_records: hasRecords ? 1 : 0 }
  const known = await db.selectFrom('repository').select('ecosystem').where('id', '=', id).executeTakeFirst()
  if (known && known.ecosystem !== ecosystem) {
    throw new ChantalError(
      'CONFIG_INVALID',
      `repository ${id} was synced as ${known.ecosystem} and is now configured as ${ecosystem}`,
      {
        hint: 'Give the new repository an id of its own.',
        details: { repository: id, expected: known.ecosystem, actual: ecosystem },
      },
    )
  }
  await db
    .insertInto('repository')
    .values({ id, ecosystem, ...terms, latest: null, checkpoint: 'null' })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(terms))
    .execute()
}

/**
 * Lets something point to a revision. The write makes it collide with a pruning of the same revision on PostgreSQL, where both could
 * otherwise read the state before the other.
 * @throws ChantalError `NOT_FOUND` where it is not sealed or not kept
 */
export async function pinRevision(session: Session, id: RepositoryId, number: number): Promise<number> {
  const repository = await repositoryKey(session, id)
  const result = await session.db
    .updateTable('revision')
    .set(({ eb }) => ({ pins: eb('pins', '+', 1) }))
    .where('repository', '=', repository ?? 0)
    .where('number', '=', number)
    .where('sealed_at', 'is not', null)
    .where('pruned_at', 'is', null)
    .executeTakeFirst()
  if (repository === null || result.numUpdatedRows === 0n) {
    throw new ChantalError('NOT_FOUND', `revision ${number} of ${id} is not kept`, {
      hint: 'List those that are with `chantal repo show`.',
      details: { repository: id, revision: number },
    })
  }
  return repository
}

export async function createSnapshot(
  session: Session,
  snapshot: Parameters<CatalogWriter['createSnapshot']>[0],
): Promise<SnapshotRecord> {
  const { name } = snapshot
  const [known] = await findSnapshots(session, { repository: snapshot.repository, name })
  if (known) {
    throw new ChantalError('ALREADY_EXISTS', `${snapshot.repository} has a snapshot ${name} already`, {
      hint: 'Choose another name, or delete that snapshot first.',
      details: { repository: snapshot.repository, snapshot: name, revision: known.revision.number },
    })
  }
  const repository = await pinRevision(session, snapshot.repository, snapshot.revision)
  await session.db
    .insertInto('snapshot')
    .values({
      repository,
      name,
      revision: snapshot.revision,
      created_at: snapshot.createdAt.getTime(),
      description: snapshot.description,
      labels: JSON.stringify(snapshot.labels),
      created_by: snapshot.createdBy,
      pinned: snapshot.isPinned ? 1 : 0,
    })
    .execute()
  const revision = await keptRevision(session, snapshot.repository, snapshot.revision)
  if (!revision) throw new Error('a pinned revision is gone within its own transaction')
  return { ...snapshot, revision }
}

export async function deleteSnapshot(session: Session, id: RepositoryId, name: string): Promise<void> {
  const repository = await repositoryKey(session, id)
  if (repository === null) return
  await session.db
    .deleteFrom('snapshot')
    .where('repository', '=', repository)
    .where('name', '=', name)
    .execute()
}

export async function pinSnapshot(
  session: Session,
  id: RepositoryId,
  name: string,
  isPinned: boolean,
): Promise<boolean> {
  const result = await session.db
    .updateTable('snapshot')
    .set({ pinned: isPinned ? 1 : 0 })
    .where('repository', '=', (await repositoryKey(session, id)) ?? 0)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function saveGeneration(
  session: Session,
  record: GenerationRecord,
  isCurrent: boolean,
): Promise<void> {
  const { db } = session
  await db
    .insertInto('publication')
    .values({ path: record.path, current: null, held_since: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const facts = {
    published_at: record.publishedAt.getTime(),
    packages: record.packages,
    files: record.files,
    signed_by: record.signedBy,
    fingerprint: record.fingerprint,
  }
  const { pk } = await db
    .insertInto('generation')
    .values({ publication: record.path, name: record.generation, ...facts })
    .onConflict((conflict) => conflict.columns(['publication', 'name']).doUpdateSet(facts))
    .returning('pk')
    .executeTakeFirstOrThrow()
  await db.deleteFrom('generation_source').where('generation', '=', pk).execute()
  for (const [position, { repository, revision, source }] of record.sources.entries()) {
    await db
      .insertInto('generation_source')
      .values({
        generation: pk,
        position,
        repository: await pinRevision(session, repository, revision),
        revision,
        source,
      })
      .execute()
  }
  if (isCurrent) await setCurrentGeneration(session, record.path, record.generation)
}

export async function setCurrentGeneration(
  { db }: Session,
  path: RelativePath,
  generation: string,
): Promise<void> {
  const result = await db
    .updateTable('publication')
    .set({ current: generation })
    .where('path', '=', path)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('generation')
          .select('generation.pk')
          .where('generation.publication', '=', path)
          .where('generation.name', '=', generation),
      ),
    )
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) throw new Error(`generation ${generation} of ${path} was never saved`)
}

export async function forgetGenerations(
  { db, engine }: Session,
  path: RelativePath,
  names: readonly string[],
): Promise<void> {
  const gone = engine.rows(
    names.map((name) => ({ name })),
    { name: 'text' },
    'gone',
  )
  await db
    .deleteFrom('generation')
    .where('publication', '=', path)
    .where('name', 'in', db.selectFrom(gone).select('gone.name'))
    .execute()
}

/** @throws ChantalError `LEASE_LOST` where `latest` is not the latest revision any more: the checkpoint would speak of another */
export async function saveCheckpoint(
  session: Session,
  id: RepositoryId,
  { checkpoint, latest }: { readonly checkpoint: string; readonly latest: number | null },
): Promise<void> {
  const pk = await knownRepositoryKey(session, id)
  const saved = await session.db
    .updateTable('repository')
    .set({ checkpoint })
    .where('pk', '=', pk)
    .where('latest', latest === null ? 'is' : '=', latest)
    .returning('pk')
    .executeTakeFirst()
  if (saved) return
  throw takenOver(`${id} has another revision by now`, { repository: id })
}
