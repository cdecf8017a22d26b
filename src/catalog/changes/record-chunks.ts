import type { NativeRecord } from '../../core/model.ts'
import type { OpenRevision } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { chunkEnds, encodeChunk } from '../record-chunk.ts'
import { openRepositoryKey } from './open-repository.ts'

/**
 * Packs each part's fragments into chunks, in key order: so reading in key order needs few chunks of each batch at a time,
 * whatever upstream's order was. The packages were added to this revision before.
 */
export async function addRecords(
  session: Session,
  revision: OpenRevision,
  records: readonly NativeRecord[],
): Promise<void> {
  const { db, engine } = session
  const repository = await openRepositoryKey(session, revision)
  const placed: { key: string; part: string; chunk: number; position: number }[] = []
  const inKeyOrder = records.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  for await (const { record, ...place } of placeRecords(session, repository, revision.number, inKeyOrder))
    placed.push({ key: record.key, ...place })
  const columns = { key: 'text', part: 'text', chunk: 'bigint', position: 'bigint' } as const
  const result = await db
    .insertInto('package_record')
    .columns(['package', 'part', 'chunk', 'position'])
    .expression(
      db
        .selectFrom(engine.rows(placed, columns, 'placed'))
        // A cross join keeps SQLite from starting with the packages: they would all be compared with all.
        .crossJoin('package')
        .whereRef('package.key', '=', 'placed.key')
        .where('package.repository', '=', repository)
        .where('package.added_in', '=', revision.number)
        .where('package.removed_in', 'is', null)
        .select(['package.pk', 'placed.part', 'placed.chunk', 'placed.position']),
    )
    .executeTakeFirst()
  if (Number(result.numInsertedOrUpdatedRows) !== placed.length) {
    throw new Error(`native records of packages that revision ${revision.number} did not add`)
  }
}

type Fragment = Pick<NativeRecord, 'part' | 'bytes'>

/**
 * Writes records into chunks, each part's neighbours together.
 * @param addedIn no revision that is open later has this number: it would take them along when it is discarded
 */
export async function* placeRecords<Each extends Fragment>(
  { db }: Session,
  repository: number,
  addedIn: number,
  records: readonly Each[],
): AsyncGenerator<{
  readonly record: Each
  readonly part: string
  readonly chunk: number
  readonly position: number
}> {
  for await (const { part, fragments, data } of encodeAhead(groupChunks(records))) {
    const { pk } = await db
      .insertInto('record_chunk')
      .values({ repository, added_in: addedIn, live: fragments.length, data })
      .returning('pk')
      .executeTakeFirstOrThrow()
    for (const [position, record] of fragments.entries()) yield { record, part, chunk: pk, position }
  }
}

interface ChunkOfRecords<Each extends Fragment> {
  readonly part: string
  readonly fragments: readonly Each[]
}

function* groupChunks<Each extends Fragment>(records: readonly Each[]): Generator<ChunkOfRecords<Each>> {
  for (const [part, ofPart] of Map.groupBy(records, (record) => record.part)) {
    let start = 0
    for (const end of chunkEnds(ofPart.map(({ bytes }) => bytes.byteLength))) {
      yield { part, fragments: ofPart.slice(start, end) }
      start = end
    }
  }
}

/** Each compression holds megabytes of its own, so a few at a time keep the other processor busy and memory low. */
const chunksAhead = 2

/** In order, the next chunks being compressed while one is written. */
async function* encodeAhead<Each extends Fragment>(chunks: Iterable<ChunkOfRecords<Each>>) {
  const running: Promise<ChunkOfRecords<Each> & { readonly data: Uint8Array }>[] = []
  for (const chunk of chunks) {
    const encoding = encodeChunk(chunk.fragments.map(({ bytes }) => bytes)).then((data) => ({
      ...chunk,
      data,
    }))
    // Awaited in its turn; a rejection meanwhile is not unhandled.
    encoding.catch(() => {})
    running.push(encoding)
    const first = running.length > chunksAhead ? running.shift() : undefined
    if (first) yield await first
  }
  for (const last of running) yield await last
}

/** All that one revision added. */
export async function dropChunks({ db }: Session, repository: number, addedIn: number): Promise<void> {
  await db
    .deleteFrom('record_chunk')
    .where('repository', '=', repository)
    .where('added_in', '=', addedIn)
    .execute()
}

/** For packages about to be deleted: their chunks lose them, and go once nobody needs them. */
export async function releaseChunks({ db, engine }: Session, packages: readonly number[]): Promise<void> {
  const named = await db
    .selectFrom(
      engine.rows(
        packages.map((pk) => ({ pk })),
        { pk: 'bigint' },
        'leaving',
      ),
    )
    .innerJoin('package_record', 'package_record.package', 'leaving.pk')
    .select(({ fn }) => ['chunk', fn.countAll<number>().as('count')])
    .groupBy('chunk')
    .execute()
  if (named.length === 0) return
  const released = engine.rows(named, { chunk: 'bigint', count: 'bigint' }, 'released')
  await db
    .updateTable('record_chunk')
    .from(released)
    .set((eb) => ({ live: eb('record_chunk.live', '-', eb.ref('released.count')) }))
    .whereRef('record_chunk.pk', '=', 'released.chunk')
    .execute()
  await db
    .deleteFrom('record_chunk')
    .where('live', '<=', 0)
    .where('pk', 'in', db.selectFrom(released).select('released.chunk'))
    .execute()
}
