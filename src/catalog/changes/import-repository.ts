import { ChantalError } from '../../core/errors.ts'
import type { EcosystemId, RepositoryId, RepositoryMode } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import type { DroppedRows, ImportedHistory, OpenImport } from '../intervals.ts'
import { importedAs } from '../queries/imports.ts'
import { repositoryKey } from '../queries/repository-key.ts'
import { addSync } from '../queries/syncs.ts'
import { openImportKey } from './import-rows.ts'
import { markOf } from './prune.ts'
import { deletePackages } from './revision-content.ts'

/**
 * Rows of an import hang on a repository whose latest revision is 0: above that lie all their intervals, so that garbage collection takes
 * them for those of an open revision, and no revision is there to show them.
 */
export async function openImport(
  { db }: Session,
  repository: { readonly id: RepositoryId; readonly ecosystem: EcosystemId; readonly mode: RepositoryMode },
): Promise<OpenImport> {
  await db
    .insertInto('repository')
    .values({ ...repository, id: importedAs(repository.id), latest: 0, checkpoint: 'null' })
    .execute()
  return { repository: repository.id }
}

/** @throws ChantalError `ALREADY_EXISTS` where the repository has a revision by now */
export async function sealImport(
  session: Session,
  { repository: id }: OpenImport,
  history: ImportedHistory,
): Promise<void> {
  const { db, engine } = session
  const repository = await openImportKey(session, id)
  await makeRoom(session, id)
  const latest = history.revisions.at(-1) ?? null
  await insertAll(
    history.revisions.map((revision) => ({
      repository,
      number: revision.number,
      mode: revision.mode,
      has_records: revision.hasRecords ? 1 : 0,
      sealed_at: revision.sealedAt.getTime(),
      package_count: revision.packageCount,
      total_size: revision.totalSize,
      // An export of a catalog that was being pruned may hold rows that none of its revisions shows.
      pruned_at: revision.prunedAt && markOf(revision.prunedAt),
      pins: 0,
    })),
    async (rows) => {
      await db.insertInto('revision').values(rows).execute()
    },
  )
  await insertAll(
    history.snapshots.map((snapshot) => ({
      repository,
      name: snapshot.name,
      revision: snapshot.revision,
      created_at: snapshot.createdAt.getTime(),
      description: snapshot.description,
      labels: JSON.stringify(snapshot.labels),
      created_by: snapshot.createdBy,
      pinned: snapshot.isPinned ? 1 : 0,
    })),
    async (rows) => {
      await db.insertInto('snapshot').values(rows).execute()
    },
  )
  for (const sync of history.syncs) await addSync(session, { ...sync, repository: id })
  await db
    .updateTable('repository')
    .set({ id, latest: latest?.number ?? null, checkpoint: JSON.stringify(history.checkpoint) })
    .where('pk', '=', repository)
    .execute()
  await engine.analyze(db)
}

/** One that was named and never synced gives way. */
async function makeRoom(session: Session, id: RepositoryId): Promise<void> {
  const { db } = session
  const known = await repositoryKey(session, id)
  if (known === null) return
  const revision = await db
    .selectFrom('revision')
    .select('number')
    .where('repository', '=', known)
    .limit(1)
    .executeTakeFirst()
  if (revision) {
    throw new ChantalError('ALREADY_EXISTS', `${id} has been synced meanwhile`, {
      hint: 'Nothing of it was imported.',
      details: { repository: id },
    })
  }
  await db.deleteFrom('repository').where('pk', '=', known).execute()
}

/** Statements take so many parameters. */
const valuesRows = 500

async function insertAll<Row>(
  rows: readonly Row[],
  insert: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < rows.length; start += valuesRows)
    await insert(rows.slice(start, start + valuesRows))
}

export async function dropImport(session: Session, id: RepositoryId, limit: number): Promise<DroppedRows> {
  const { db, engine } = session
  const repository = await repositoryKey(session, importedAs(id))
  if (repository === null) return { isDone: true, blobs: [] }
  const packages = await db
    .selectFrom('package')
    .select('pk')
    .where('repository', '=', repository)
    .limit(limit)
    .execute()
  if (packages.length > 0) {
    const blobs = await db
      .selectFrom(engine.rows(packages, { pk: 'bigint' }, 'leaving'))
      .innerJoin('package_file', 'package_file.package', 'leaving.pk')
      .innerJoin('blob', 'blob.pk', 'package_file.blob')
      .select('digest')
      .distinct()
      .execute()
    await deletePackages(
      session,
      packages.map(({ pk }) => pk),
    )
    return { isDone: false, blobs: blobs.map(({ digest }) => digest) }
  }
  const blobs = await db
    .selectFrom('repository_file')
    .innerJoin('blob', 'blob.pk', 'repository_file.blob')
    .select('digest')
    .distinct()
    .where('repository', '=', repository)
    .execute()
  await db.deleteFrom('repository_file').where('repository', '=', repository).execute()
  await db.deleteFrom('record_chunk').where('repository', '=', repository).execute()
  await db.deleteFrom('repository').where('pk', '=', repository).execute()
  return { isDone: true, blobs: blobs.map(({ digest }) => digest) }
}
