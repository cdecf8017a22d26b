import { ChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import type { FileInterval, OpenImport, PackageInterval } from '../intervals.ts'
import { signatureColumns } from '../package-signature.ts'
import { importedAs } from '../queries/imports.ts'
import { repositoryKey } from '../queries/repository-key.ts'
import { addBlobChecksums } from './blobs.ts'
import { placeRecords } from './record-chunks.ts'

const batchRows = 2000

export async function importFiles(
  session: Session,
  { repository: id }: OpenImport,
  files: readonly FileInterval[],
): Promise<void> {
  const { db, engine } = session
  const repository = await openImportKey(session, id)
  for (let start = 0; start < files.length; start += batchRows) {
    const batch = files.slice(start, start + batchRows)
    const rows = batch.map(({ file: { path, digest, size }, addedIn, removedIn }) => ({
      repository,
      path,
      digest,
      size,
      added_in: addedIn,
      removed_in: removedIn,
    }))
    const columns = {
      repository: 'bigint',
      path: 'text',
      digest: 'text',
      size: 'bigint',
      added_in: 'bigint',
      removed_in: 'bigint',
    } as const
    const result = await db
      .insertInto('repository_file')
      .columns(['repository', 'path', 'blob', 'added_in', 'removed_in'])
      .expression(
        db
          .selectFrom(engine.rows(rows, columns, 'arriving'))
          .innerJoin('blob', (join) =>
            join.onRef('blob.digest', '=', 'arriving.digest').onRef('blob.size', '=', 'arriving.size'),
          )
          .select(['repository', 'path', 'blob.pk', 'added_in', 'removed_in']),
      )
      .executeTakeFirst()
    if (Number(result.numInsertedOrUpdatedRows) !== rows.length) throw otherSize(id)
  }
  await importChecksums(
    session,
    files.map(({ file }) => file),
  )
}

export async function importPackages(
  session: Session,
  { repository: id }: OpenImport,
  packages: readonly PackageInterval[],
): Promise<void> {
  const { db, engine } = session
  const repository = await openImportKey(session, id)
  for (let start = 0; start < packages.length; start += batchRows) {
    const batch = packages.slice(start, start + batchRows)
    const rows = await insertPackages(session, repository, batch)
    const files = rows.flatMap(({ pk, pkg }) =>
      pkg.files.map(({ path, digest, size }, position) => ({ package: pk, position, path, digest, size })),
    )
    const columns = {
      package: 'bigint',
      position: 'bigint',
      path: 'text',
      digest: 'text',
      size: 'bigint',
    } as const
    const result = await db
      .insertInto('package_file')
      .columns(['package', 'position', 'path', 'blob'])
      .expression(
        db
          .selectFrom(engine.rows(files, columns, 'arriving'))
          .innerJoin('blob', (join) =>
            join.onRef('blob.digest', '=', 'arriving.digest').onRef('blob.size', '=', 'arriving.size'),
          )
          .select(['arriving.package', 'arriving.position', 'arriving.path', 'blob.pk as blob']),
      )
      .executeTakeFirst()
    if (Number(result.numInsertedOrUpdatedRows) !== files.length) throw otherSize(id)
    await importChecksums(
      session,
      batch.flatMap((pkg) => pkg.files),
    )
    await insertRecords(session, repository, rows)
  }
}

async function insertPackages(
  { db, engine }: Session,
  repository: number,
  packages: readonly PackageInterval[],
): Promise<readonly { readonly pk: number; readonly pkg: PackageInterval }[]> {
  const rows = packages.map(({ facts, identity, signature, addedIn, removedIn }) => ({
    repository,
    key: facts.key,
    name: facts.name,
    version: facts.version,
    architecture: facts.architecture,
    built_at: facts.builtAt?.getTime() ?? null,
    identity,
    attributes: JSON.stringify(facts.attributes),
    added_in: addedIn,
    removed_in: removedIn,
    ...signatureColumns(signature),
  }))
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
    removed_in: 'bigint',
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
    'removed_in',
    'signature',
    'signature_policy',
  ] as const
  const inserted = await db
    .insertInto('package')
    .columns(names)
    .expression(db.selectFrom(engine.rows(rows, columns, 'arriving')).select(names))
    .returning(['pk', 'key', 'added_in'])
    .execute()
  const keys = new Map(inserted.map(({ pk, key, added_in }) => [`${added_in} ${key}`, pk]))
  return packages.map((pkg) => {
    const pk = keys.get(`${pkg.addedIn} ${pkg.facts.key}`)
    if (pk === undefined) throw new Error('a row is gone within its own transaction')
    return { pk, pkg }
  })
}

async function insertRecords(
  session: Session,
  repository: number,
  packages: readonly { readonly pk: number; readonly pkg: PackageInterval }[],
): Promise<void> {
  const { db, engine } = session
  const records = packages.flatMap(({ pk, pkg }) =>
    pkg.records.map(({ part, bytes }) => ({ pk, part, bytes })),
  )
  if (records.length === 0) return
  const addedIn = Math.max(...packages.map(({ pkg }) => pkg.addedIn))
  const placed: { package: number; part: string; chunk: number; position: number }[] = []
  for await (const { record, ...place } of placeRecords(session, repository, addedIn, records))
    placed.push({ package: record.pk, ...place })
  const columns = { package: 'bigint', part: 'text', chunk: 'bigint', position: 'bigint' } as const
  const names = ['package', 'part', 'chunk', 'position'] as const
  await db
    .insertInto('package_record')
    .columns(names)
    .expression(db.selectFrom(engine.rows(placed, columns, 'placed')).select(names))
    .execute()
}

/** What the catalog knows of a checksum itself counts: syncs take a blob for what it says. */
async function importChecksums(session: Session, files: readonly FileInterval['file'][]): Promise<void> {
  const { db, engine } = session
  const checksums = files.flatMap((file) =>
    file.checksums.map((checksum) => ({ digest: file.digest, checksum })),
  )
  if (checksums.length === 0) return
  const rows = new Map<string, { digest: string; algorithm: string; hex: string }>()
  for (const { digest, checksum } of checksums) {
    const name = `${checksum.algorithm} ${checksum.hex}`
    if ((rows.get(name)?.digest ?? digest) !== digest) throw otherChecksum(checksum)
    rows.set(name, { digest, ...checksum })
  }
  const columns = { digest: 'text', algorithm: 'text', hex: 'text' } as const
  const contradicted = await db
    .selectFrom(engine.rows([...rows.values()], columns, 'arriving'))
    .innerJoin('blob_checksum', (join) =>
      join
        .onRef('blob_checksum.algorithm', '=', 'arriving.algorithm')
        .onRef('blob_checksum.hex', '=', 'arriving.hex'),
    )
    .innerJoin('blob', 'blob.pk', 'blob_checksum.blob')
    .select(['arriving.algorithm', 'arriving.hex'])
    .whereRef('blob.digest', '!=', 'arriving.digest')
    .limit(1)
    .executeTakeFirst()
  if (contradicted) throw otherChecksum(contradicted)
  await addBlobChecksums(session, checksums)
}

/** @throws ChantalError `LEASE_LOST`: only someone who took the repository over drops its import under its writer */
export async function openImportKey(session: Session, id: RepositoryId): Promise<number> {
  const repository = await repositoryKey(session, importedAs(id))
  if (repository !== null) return repository
  throw new ChantalError('LEASE_LOST', `the import of ${id} is not open any more`, {
    hint: 'Run the command again: another process has taken this repository over.',
    details: { repository: id },
  })
}

function otherChecksum({
  algorithm,
  hex,
}: {
  readonly algorithm: string
  readonly hex: string
}): ChantalError {
  return new ChantalError('IMPORT_INVALID', `the ${algorithm} checksum ${hex} is known of another file`, {
    hint: 'Nothing of this repository was imported.',
    details: { algorithm, hex },
  })
}

function otherSize(id: RepositoryId): ChantalError {
  return new ChantalError('IMPORT_INVALID', `${id}: a file has another size than the catalog knows of it`, {
    hint: 'Nothing of this repository was imported.',
    details: { repository: id },
  })
}
