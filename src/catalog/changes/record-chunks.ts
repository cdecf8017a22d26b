import type { NativeRecord } from '../../core/model.ts'
import type { OpenRevision } from '../catalog.ts'
import type { Session } from '../engine.ts'
import { chunkEnds, encodeChunk } from '../record-chunk.ts'
import { openRepositoryKey } from './open-revision.ts'

/** Packs each part's fragments into chunks, in the order given. The packages were added to this revision before. */
export async function addRecords(
  session: Session,
  revision: OpenRevision,
  records: readonly NativeRecord[],
): Promise<void> {
  const { db, engine } = session
  const repository = await openRepositoryKey(session, revision)
  const placed: { key: string; part: string; chunk: number; position: number }[] = []
  const encoded = [...Map.groupBy(records, (record) => record.part)].flatMap(([part, ofPart]) => {
    const ends = chunkEnds(ofPart.map(({ bytes }) => bytes.byteLength))
    return ends.map((end, index) => {
      const fragments = ofPart.slice(ends[index - 1] ?? 0, end)
      return { part, fragments, data: encodeChunk(fragments.map(({ bytes }) => bytes)) }
    })
  })
  // A rejection meanwhile is not unhandled: each is awaited in its turn.
  for (const { data } of encoded) data.catch(() => {})
  for (const { part, fragments, data } of encoded) {
    const { pk } = await db
      .insertInto('record_chunk')
      .values({ repository, added_in: revision.number, live: fragments.length, data: await data })
      .returning('pk')
      .executeTakeFirstOrThrow()
    for (const [position, { key }] of fragments.entries()) placed.push({ key, part, chunk: pk, position })
  }
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
