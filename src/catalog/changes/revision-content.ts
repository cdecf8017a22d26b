import type { PackageKey, StoredFile } from '../../core/model.ts'
import type { NewPackage, OpenRevision } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { signatureColumns } from '../package-signature.ts'
import { openRepositoryKey } from './open-repository.ts'
import { releaseChunks } from './record-chunks.ts'

/** Of one statement: its rows are gone again before the garbage collector takes them for lasting ones. */
const batchRows = 500

export async function addPackages(
  session: Session,
  revision: OpenRevision,
  packages: readonly NewPackage[],
): Promise<void> {
  const repository = await openRepositoryKey(session, revision)
  for (let start = 0; start < packages.length; start += batchRows) {
    const batch = packages.slice(start, start + batchRows)
    await insertPackages(session, repository, revision.number, batch)
    await insertPackageFiles(session, repository, batch)
  }
}

async function insertPackages(
  { db, engine }: Session,
  repository: number,
  number: number,
  packages: readonly NewPackage[],
): Promise<void> {
  const rows = packages.map(
    ({ key, name, version, architecture, builtAt, identity, attributes, signature }) => ({
      repository,
      key,
      name,
      version,
      architecture,
      built_at: builtAt?.getTime() ?? null,
      identity,
      attributes: JSON.stringify(attributes),
      added_in: number,
      ...signatureColumns(signature),
    }),
  )
  const columns = {
    repository: 'bigint',
    key: 'text',
    name: 'text',
    version: 'text',
    architecture: 'text',
    built_at: 'bigint',
    identity: 'text',
    attributes: 'text',
    added_in: 'bigint',
    signature: 'text',
    signature_policy: 'text',
  } as const
  const names = [
    'repository',
    'key',
    'name',
    'version',
    'architecture',
    'built_at',
    'identity',
    'attributes',
    'added_in',
    'signature',
    'signature_policy',
  ] as const
  await db
    .insertInto('package')
    .columns(names)
    .expression(db.selectFrom(engine.rows(rows, columns, 'arriving')).select(names))
    .execute()
}

async function insertPackageFiles(
  { db, engine }: Session,
  repository: number,
  packages: readonly NewPackage[],
): Promise<void> {
  const rows = packages.flatMap(({ key, files }) =>
    files.map(({ path, digest }, position) => ({ key, position, path, digest })),
  )
  const columns = { key: 'text', position: 'bigint', path: 'text', digest: 'text' } as const
  const result = await db
    .insertInto('package_file')
    .columns(['package', 'position', 'path', 'blob'])
    .expression(
      db
        .selectFrom(engine.rows(rows, columns, 'arriving'))
        // A cross join keeps SQLite from starting with the packages: they would all be compared with all.
        .crossJoin('package')
        .innerJoin('blob', 'blob.digest', 'arriving.digest')
        .whereRef('package.key', '=', 'arriving.key')
        .where('package.repository', '=', repository)
        .where('package.removed_in', 'is', null)
        .select(['package.pk', 'arriving.position', 'arriving.path', 'blob.pk as blob']),
    )
    .executeTakeFirst()
  if (Number(result.numInsertedOrUpdatedRows) !== rows.length) {
    throw new Error('a package names a blob that was never recorded: blobs come first')
  }
}

/** Those that this revision added itself leave nothing behind. */
export async function removePackages(
  session: Session,
  revision: OpenRevision,
  keys: readonly PackageKey[],
): Promise<void> {
  const { db, engine } = session
  const { number } = revision
  const repository = await openRepositoryKey(session, revision)
  for (let start = 0; start < keys.length; start += batchRows) {
    const batch = keys.slice(start, start + batchRows).map((key) => ({ key }))
    const found = await db
      .selectFrom(engine.rows(batch, { key: 'text' }, 'leaving'))
      .innerJoin('package', (join) =>
        join
          .onRef('package.key', '=', 'leaving.key')
          .on('package.repository', '=', repository)
          .on('package.removed_in', 'is', null),
      )
      .select(['pk', 'added_in'])
      .execute()
    const own = found.filter(({ added_in }) => added_in === number).map(({ pk }) => pk)
    const older = found.filter(({ added_in }) => added_in < number).map(({ pk }) => ({ pk }))
    if (own.length > 0) await deletePackages(session, own)
    if (older.length > 0) {
      await db
        .updateTable('package')
        .from(engine.rows(older, { pk: 'bigint' }, 'leaving'))
        .set({ removed_in: number })
        .whereRef('package.pk', '=', 'leaving.pk')
        .execute()
    }
  }
}

/** With their files' rows and what only they need of native records. */
export async function deletePackages(session: Session, packages: readonly number[]): Promise<void> {
  const { db, engine } = session
  for (let start = 0; start < packages.length; start += batchRows) {
    const batch = packages.slice(start, start + batchRows)
    await releaseChunks(session, batch)
    const leaving = engine.rows(
      batch.map((pk) => ({ pk })),
      { pk: 'bigint' },
      'leaving',
    )
    await db.deleteFrom('package').where('pk', 'in', db.selectFrom(leaving).select('leaving.pk')).execute()
  }
}

/** What the revision holds besides packages. What stays the same keeps its row. */
export async function setFiles(
  session: Session,
  revision: OpenRevision,
  files: readonly StoredFile[],
): Promise<void> {
  const { db, engine } = session
  const { number } = revision
  const repository = await openRepositoryKey(session, revision)
  const held = await db
    .selectFrom('repository_file')
    .innerJoin('blob', 'blob.pk', 'repository_file.blob')
    .select(['repository_file.pk', 'path', 'digest', 'added_in'])
    .where('repository', '=', repository)
    .where('removed_in', 'is', null)
    .execute()
  const wanted = new Map(files.map(({ path, digest }) => [path, digest]))
  const leaving = held.filter(({ path, digest }) => wanted.get(path) !== digest)
  for (const { path, digest } of held) if (wanted.get(path) === digest) wanted.delete(path)
  for (let start = 0; start < leaving.length; start += batchRows) {
    const rows = engine.rows(
      leaving.slice(start, start + batchRows).map(({ pk }) => ({ pk })),
      { pk: 'bigint' },
      'leaving',
    )
    const pks = db.selectFrom(rows).select('leaving.pk')
    await db.deleteFrom('repository_file').where('pk', 'in', pks).where('added_in', '=', number).execute()
    await db
      .updateTable('repository_file')
      .set({ removed_in: number })
      .where('pk', 'in', pks)
      .where('added_in', '<', number)
      .execute()
  }
  const arriving = [...wanted].map(([path, digest]) => ({ path, digest, repository, added_in: number }))
  if (arriving.length === 0) return
  const columns = { path: 'text', digest: 'text', repository: 'bigint', added_in: 'bigint' } as const
  const result = await db
    .insertInto('repository_file')
    .columns(['repository', 'path', 'blob', 'added_in'])
    .expression(
      db
        .selectFrom(engine.rows(arriving, columns, 'arriving'))
        .innerJoin('blob', 'blob.digest', 'arriving.digest')
        .select(['arriving.repository', 'arriving.path', 'blob.pk', 'arriving.added_in']),
    )
    .executeTakeFirst()
  if (Number(result.numInsertedOrUpdatedRows) !== arriving.length) {
    throw new Error('a file names a blob that was never recorded: blobs come first')
  }
}
