import { type Selectable, type SqlBool, sql } from 'kysely'
import type { RepositoryId } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import type { FileInterval, IntervalFile, PackageInterval, SealedRevision } from '../intervals.ts'
import { signatureOf } from '../package-signature.ts'
import type { Tables } from '../schema.ts'
import { known, pageRows } from './packages.ts'
import { ChunkCache, distinctChunks } from './records.ts'
import { revisionRow } from './revisions.ts'

/** Packages whose native records are in memory at a time. */
const packagesAtOnce = 100

/** All that were sealed, oldest first. */
export async function sealedRevisions({ db }: Session, id: RepositoryId): Promise<readonly SealedRevision[]> {
  const rows = await db
    .selectFrom('revision')
    .innerJoin('repository', 'repository.pk', 'revision.repository')
    .select([
      'number',
      'revision.mode',
      'sealed_at',
      'package_count',
      'total_size',
      'revision.has_records',
      'pruned_at',
    ])
    .where('repository.id', '=', id)
    .where('sealed_at', 'is not', null)
    .$narrowType<{ sealed_at: number }>()
    .orderBy('number')
    .execute()
  return rows.map((row) => ({
    ...revisionRow(id, row),
    prunedAt: row.pruned_at === null ? null : new Date(Math.abs(row.pruned_at)),
  }))
}

/** Of the row that a page ended with. */
interface Position {
  readonly name: string
  readonly addedIn: number
}

/** In order of paths and revisions. */
export async function* streamFileIntervals(session: Session, id: RepositoryId): AsyncGenerator<FileInterval> {
  const repository = await sealedRepository(session, id)
  if (!repository) return
  let after: Position | null = null
  while (true) {
    const last: Position | null = after
    const rows = await session.db
      .selectFrom('repository_file')
      .innerJoin('blob', 'blob.pk', 'repository_file.blob')
      .select(['path', 'digest', 'size', 'blob', 'added_in', 'removed_in'])
      .where('repository', '=', repository.pk)
      .where('added_in', '<=', repository.latest)
      .where(isAfter('path', last))
      .orderBy('path')
      .orderBy('added_in')
      .limit(pageRows)
      .execute()
    const checksums = await checksumsOf(
      session,
      rows.map(({ blob }) => blob),
    )
    for (const { path, digest, size, blob, ...interval } of rows) {
      const file = { path, digest, size, checksums: checksums.get(blob) ?? [] }
      yield { file, ...intervalOf(interval, repository.latest) }
    }
    const end = rows.at(-1)
    if (!end || rows.length < pageRows) return
    after = { name: end.path, addedIn: end.added_in }
  }
}

/** In order of keys and revisions. */
export async function* streamPackageIntervals(
  session: Session,
  id: RepositoryId,
): AsyncGenerator<PackageInterval> {
  const repository = await sealedRepository(session, id)
  if (!repository) return
  using chunks = new ChunkCache(session, true)
  let after: Position | null = null
  while (true) {
    const last: Position | null = after
    const rows = await session.db
      .selectFrom('package')
      .selectAll()
      .where('repository', '=', repository.pk)
      .where('added_in', '<=', repository.latest)
      .where(isAfter('key', last))
      .orderBy('key')
      .orderBy('added_in')
      .limit(pageRows)
      .execute()
    const files = await filesOf(session, rows)
    const placed = await placedRecords(session, rows)
    for (let start = 0; start < rows.length; start += packagesAtOnce) {
      const slice = rows.slice(start, start + packagesAtOnce)
      const records = await recordsOf(
        chunks,
        slice.flatMap(({ pk }) => placed.get(pk) ?? []),
      )
      for (const row of slice) {
        const [first, ...rest] = files.get(row.pk) ?? []
        if (!first) throw new Error(`package ${row.key} of ${id} has no file`)
        yield {
          facts: factsOf(row),
          identity: row.identity,
          signature: signatureOf(row),
          files: [first, ...rest],
          records: records.get(row.pk) ?? [],
          ...intervalOf(row, repository.latest),
        }
      }
    }
    const end = rows.at(-1)
    if (!end || rows.length < pageRows) return
    after = { name: end.key, addedIn: end.added_in }
  }
}

const isAfter = (column: 'key' | 'path', last: Position | null) =>
  last === null
    ? sql<SqlBool>`true`
    : sql<SqlBool>`(${sql.ref(column)}, added_in) > (${last.name}, ${last.addedIn})`

/** `null` for one without a sealed revision. */
async function sealedRepository({ db }: Session, id: RepositoryId) {
  const row = await db
    .selectFrom('repository')
    .select(['pk', 'latest'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row && row.latest !== null ? { pk: row.pk, latest: row.latest } : null
}

/** What the open revision has taken away is still there. */
function intervalOf(
  { added_in, removed_in }: { readonly added_in: number; readonly removed_in: number | null },
  latest: number,
) {
  return { addedIn: added_in, removedIn: removed_in !== null && removed_in > latest ? null : removed_in }
}

type PackageRow = Selectable<Tables['package']>

function factsOf(row: PackageRow): PackageInterval['facts'] {
  return {
    key: row.key,
    name: row.name,
    version: row.version,
    architecture: row.architecture,
    builtAt: row.built_at === null ? null : new Date(row.built_at),
    attributes: JSON.parse(row.attributes),
  }
}

const pks = ({ engine }: Session, rows: readonly number[]) =>
  engine.rows(
    rows.map((pk) => ({ pk })),
    { pk: 'bigint' },
    'wanted',
  )

async function filesOf(session: Session, packages: readonly PackageRow[]) {
  const files = new Map<number, IntervalFile[]>()
  if (packages.length === 0) return files
  const wanted = pks(
    session,
    packages.map(({ pk }) => pk),
  )
  const rows = await session.db
    .selectFrom(wanted)
    .innerJoin('package_file', 'package_file.package', 'wanted.pk')
    .innerJoin('blob', 'blob.pk', 'package_file.blob')
    .select(['package', 'path', 'digest', 'size', 'blob'])
    .orderBy('package')
    .orderBy('position')
    .execute()
  const checksums = await checksumsOf(
    session,
    rows.map(({ blob }) => blob),
  )
  for (const { package: owner, path, digest, size, blob } of rows) {
    const file = { path, digest, size, checksums: checksums.get(blob) ?? [] }
    const group = files.get(owner)
    if (group) group.push(file)
    else files.set(owner, [file])
  }
  return files
}

async function checksumsOf(session: Session, blobs: readonly number[]) {
  if (blobs.length === 0) return new Map<number, IntervalFile['checksums']>()
  const rows = await session.db
    .selectFrom(pks(session, [...new Set(blobs)]))
    .innerJoin('blob_checksum', 'blob_checksum.blob', 'wanted.pk')
    .select(['blob', 'algorithm', 'hex'])
    .orderBy('algorithm')
    .orderBy('hex')
    .execute()
  return new Map(
    Map.groupBy(rows, ({ blob }) => blob)
      .entries()
      .map(([blob, group]) => [blob, group.map(({ algorithm, hex }) => ({ algorithm, hex }))]),
  )
}

type PlacedRecord = Selectable<Tables['package_record']>

async function placedRecords(session: Session, packages: readonly PackageRow[]) {
  if (packages.length === 0) return new Map<number, readonly PlacedRecord[]>()
  const wanted = pks(
    session,
    packages.map(({ pk }) => pk),
  )
  const rows = await session.db
    .selectFrom(wanted)
    .innerJoin('package_record', 'package_record.package', 'wanted.pk')
    .select(['package', 'part', 'chunk', 'position'])
    .orderBy('package')
    .orderBy('part')
    .execute()
  return Map.groupBy(rows, (row) => row.package)
}

/** Part by part, since each part has chunks of its own. */
async function recordsOf(chunks: ChunkCache, placed: readonly PlacedRecord[]) {
  const records = new Map<number, { part: string; bytes: Uint8Array }[]>()
  const parts = Map.groupBy(placed, ({ part }) => part)
  for (const part of [...parts.keys()].sort()) {
    const rows = known(parts.get(part))
    for (const [index, { package: owner, chunk, position }] of rows.entries()) {
      const decoded = chunks.latest(chunk) ?? (await chunks.read(chunk, distinctChunks(rows, index)))
      // A copy: the cache takes its chunks back while they are still read from.
      const record = { part, bytes: new Uint8Array(decoded.fragment(position)) }
      const group = records.get(owner)
      if (group) group.push(record)
      else records.set(owner, [record])
    }
  }
  return records
}
