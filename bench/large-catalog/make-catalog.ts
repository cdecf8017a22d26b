import { createHash } from 'node:crypto'
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { sql } from 'kysely'
import type { Session } from '../../src/catalog/engine.ts'
import type { CatalogLocation } from '../../src/catalog/open-catalog.ts'
import { openCatalog } from '../../src/catalog/open-catalog.ts'
import { openEngine } from '../../src/catalog/open-engine.ts'
import { encodeChunk } from '../../src/catalog/record-chunk.ts'

export interface Shape {
  readonly repositories: number
  /** Of these, the first ones: filtered, with native records. */
  readonly filtered: number
  /** In each revision. */
  readonly packages: number
  /** Of each repository. Every one but the latest has a snapshot. */
  readonly revisions: number
  /** Replaced from one revision to the next. */
  readonly changes: number
}

export const fullShape: Shape = {
  repositories: 200,
  filtered: 40,
  packages: 5000,
  revisions: 51,
  changes: 100,
}

const now = () => new Date()
const parts = ['primary', 'filelists', 'other']
const day = 24 * 60 * 60 * 1000
const batchRows = 5000
const fragmentsOfChunk = 100

export const repositoryId = (index: number) => `repository-${String(index).padStart(3, '0')}`

/** Two neighbours have the same packages, so that blobs are shared. */
const blobName = (repository: number, row: number) => `${Math.floor(repository / 2)}:${row}`
const digestOf = (name: string) => createHash('sha256').update(name).digest('hex')
const sizeOf = (row: number) => 10_000 + (row % 1000)

/**
 * Rows as syncs would have left them, written by repository: `packages` in the first revision, then `changes` replaced in each, the oldest
 * first. Plain statements, since ten thousand sealed revisions would take hours.
 */
export async function makeCatalog(url: CatalogLocation, shape: Shape): Promise<string> {
  await using catalog = await openCatalog({ url, now })
  await using engine = await openEngine({ url, now })
  const rows = shape.packages + (shape.revisions - 1) * shape.changes
  for (let pair = 0; pair * 2 < shape.repositories; pair++)
    await engine.write((db) => insertBlobs({ db, engine }, pair * 2, rows))
  const chunk = await encodeChunk(
    Array.from({ length: fragmentsOfChunk }, (_, n) => Buffer.from(`record ${n}`)),
  )
  for (let index = 0; index < shape.repositories; index++) {
    await engine.write((db) => insertRepository({ db, engine }, index, shape, chunk))
    // As sealing does: without statistics, rows would be looked for by reading all of them.
    await engine.write((db) => engine.analyze(db))
  }
  return catalog.id
}

/** Files without blocks, of the sizes that the catalog has. */
export function makePool(root: string, id: string, shape: Shape): number {
  const rows = shape.packages + (shape.revisions - 1) * shape.changes
  for (let shard = 0; shard < 256; shard++)
    mkdirSync(`${root}/sha256/${shard.toString(16).padStart(2, '0')}`, { recursive: true })
  for (const name of ['tmp', 'quarantine']) mkdirSync(`${root}/${name}`, { recursive: true })
  writeFileSync(`${root}/chantal-pool.json`, `${JSON.stringify({ format: 1, catalog: id })}\n`)
  let files = 0
  for (let repository = 0; repository < shape.repositories; repository += 2) {
    for (let row = 0; row < rows; row++) {
      const digest = digestOf(blobName(repository, row))
      const file = openSync(`${root}/sha256/${digest.slice(0, 2)}/${digest}`, 'wx', 0o444)
      ftruncateSync(file, sizeOf(row))
      closeSync(file)
      files += 1
    }
  }
  return files
}

async function insertBlobs({ db, engine }: Session, repository: number, rows: number): Promise<void> {
  for (const range of ranges(rows)) {
    const blobs = range.map((row) => ({ digest: digestOf(blobName(repository, row)), size: sizeOf(row) }))
    await db
      .insertInto('blob')
      .columns(['digest', 'size', 'wanted_at'])
      .expression(
        db
          .selectFrom(engine.rows(blobs, { digest: 'text', size: 'bigint' }, 'given'))
          .select(['digest', 'size', sql<number>`0`.as('wanted_at')]),
      )
      .execute()
  }
}

interface PackageRow {
  readonly row: number
  readonly key: string
  readonly addedIn: number
  readonly removedIn: number | null
}

function* packageRows({ packages, revisions, changes }: Shape): Generator<PackageRow> {
  const key = (slot: number) => `package-${String(slot).padStart(5, '0')}`
  /** When the package of a slot is replaced; `null`: never. */
  const replacedIn = (slot: number) => {
    const number = Math.floor(slot / changes) + 2
    return number <= revisions ? number : null
  }
  for (let slot = 0; slot < packages; slot++)
    yield { row: slot, key: key(slot), addedIn: 1, removedIn: replacedIn(slot) }
  for (let slot = 0; slot < Math.min(packages, (revisions - 1) * changes); slot++)
    yield { row: packages + slot, key: key(slot), addedIn: replacedIn(slot) ?? 1, removedIn: null }
}

async function insertRepository(session: Session, index: number, shape: Shape, chunk: Uint8Array) {
  const { db } = session
  const isFiltered = index < shape.filtered
  const mode = isFiltered ? 'filtered' : 'mirror'
  const { rows: made } = await sql<{ pk: number }>`
    insert into repository (id, ecosystem, mode, has_records, latest, checkpoint)
    values (${repositoryId(index)}, 'rpm', ${mode}, ${isFiltered ? 1 : 0}, ${shape.revisions}, 'null') returning pk
  `.execute(db)
  const repository = made[0]?.pk ?? 0
  const all = [...packageRows(shape)]
  await insertPackages(session, repository, index, all)
  await insertRevisions(session, repository, mode, all, shape)
  if (isFiltered) await insertRecords(session, repository, all, chunk)
}

async function insertPackages(
  { db, engine }: Session,
  repository: number,
  index: number,
  all: readonly PackageRow[],
) {
  for (const range of ranges(all.length)) {
    const rows = range
      .flatMap((at) => all[at] ?? [])
      .map(({ row, key, addedIn, removedIn }) => ({
        key,
        identity: digestOf(`identity ${index}:${row}`),
        attributes: JSON.stringify({
          summary: `What ${key} does, in a sentence of the usual length`,
          license: 'GPL-2.0-or-later AND MIT',
          sourceRpm: `${key}-1.0-1.src.rpm`,
          checksum: `sha256:${digestOf(blobName(index, row))}`,
        }),
        added_in: addedIn,
        removed_in: removedIn,
        digest: digestOf(blobName(index, row)),
      }))
    const given = engine.rows(
      rows,
      {
        key: 'text',
        identity: 'text',
        attributes: 'text',
        added_in: 'bigint',
        removed_in: 'bigint',
        digest: 'text',
      },
      'given',
    )
    await sql`
      insert into package (repository, key, name, version, architecture, built_at, identity, attributes, added_in, removed_in)
      select cast(${repository} as bigint), key, key, '0:1.0-1', 'x86_64', 1700000000000, identity, attributes, added_in, removed_in
      from ${given} where true
    `.execute(db)
    await sql`
      insert into package_file (package, position, path, blob)
      select package.pk, 0, 'Packages/' || given.key || '-' || given.added_in || '.rpm', blob.pk
      from ${given} cross join package cross join blob
      where package.repository = ${repository} and package.key = given.key and package.added_in = given.added_in
        and blob.digest = given.digest
    `.execute(db)
  }
}

async function insertRevisions(
  { db }: Session,
  repository: number,
  mode: string,
  all: readonly PackageRow[],
  { packages, revisions }: Shape,
) {
  let total = 0
  const changes = new Map<number, number>()
  for (const { row, addedIn, removedIn } of all) {
    changes.set(addedIn, (changes.get(addedIn) ?? 0) + sizeOf(row))
    if (removedIn !== null) changes.set(removedIn, (changes.get(removedIn) ?? 0) - sizeOf(row))
  }
  const start = Date.now() - (revisions + 10) * day
  for (let number = 1; number <= revisions; number++) {
    total += changes.get(number) ?? 0
    const at = start + number * day
    await sql`
      insert into revision (repository, number, mode, has_records, sealed_at, package_count, total_size, pruned_at, pins)
      values (${repository}, ${number}, ${mode}, ${mode === 'mirror' ? 0 : 1}, ${at}, ${packages}, ${total}, null, 1)
    `.execute(db)
    if (number === revisions) continue
    await sql`
      insert into snapshot (repository, name, revision, created_at, description, labels)
      values (${repository}, ${`day-${number}`}, ${number}, ${at}, null, '{}')
    `.execute(db)
  }
}

async function insertRecords(
  { db, engine }: Session,
  repository: number,
  all: readonly PackageRow[],
  data: Uint8Array,
) {
  for (const part of parts) {
    const { rows: before } = await sql<{ pk: number }>`
      select coalesce(max(pk), 0) as pk from record_chunk
    `.execute(db)
    const first = (before[0]?.pk ?? 0) + 1
    for (let start = 0; start < all.length; start += fragmentsOfChunk) {
      const live = Math.min(fragmentsOfChunk, all.length - start)
      await sql`insert into record_chunk (repository, added_in, live, data) values (${repository}, 1, ${live}, ${data})`.execute(
        db,
      )
    }
    for (const range of ranges(all.length)) {
      const placed = range.flatMap((at) => {
        const pkg = all[at]
        if (!pkg) return []
        const chunk = first + Math.floor(at / fragmentsOfChunk)
        return [{ key: pkg.key, added_in: pkg.addedIn, chunk, position: at % fragmentsOfChunk }]
      })
      const given = engine.rows(
        placed,
        { key: 'text', added_in: 'bigint', chunk: 'bigint', position: 'bigint' },
        'given',
      )
      await sql`
        insert into package_record (package, part, chunk, position)
        select package.pk, ${part}, given.chunk, given.position from ${given} cross join package
        where package.repository = ${repository} and package.key = given.key and package.added_in = given.added_in
      `.execute(db)
    }
  }
}

function* ranges(count: number): Generator<readonly number[]> {
  for (let start = 0; start < count; start += batchRows) {
    const length = Math.min(batchRows, count - start)
    yield Array.from({ length }, (_, index) => start + index)
  }
}
