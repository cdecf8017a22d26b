import { sql } from 'kysely'
import type { BlobRef } from '../../core/bytes.ts'
import type { Checksum, Sha256 } from '../../core/digest.ts'
import type { Session } from '../engine.ts'
import { batches, lookForUnreached } from '../queries/blobs.ts'
import { pruneNumbers } from './prune.ts'

const later = (a: string, b: string) =>
  sql<number>`case when ${sql.ref(a)} > ${sql.ref(b)} then ${sql.ref(a)} else ${sql.ref(b)} end`

export async function touchBlobs(
  { db, engine }: Session,
  digests: readonly Sha256[],
  now: Date,
): Promise<ReadonlySet<Sha256>> {
  const held = new Set<Sha256>()
  for (const batch of batches(new Set(digests))) {
    const rows = batch.map((digest) => ({ digest, wanted_at: now.getTime() }))
    const touched = await db
      .updateTable('blob')
      .from(engine.rows(rows, { digest: 'text', wanted_at: 'bigint' }, 'wanted'))
      .set({ wanted_at: later('blob.wanted_at', 'wanted.wanted_at') })
      .whereRef('blob.digest', '=', 'wanted.digest')
      .returning('blob.digest')
      .execute()
    for (const { digest } of touched) held.add(digest)
  }
  return held
}

export async function addBlobs({ db, engine }: Session, blobs: readonly BlobRef[], now: Date): Promise<void> {
  const unique = new Map(blobs.map((blob) => [blob.digest, blob]))
  for (const batch of batches(unique.values())) {
    const rows = batch.map(({ digest, size }) => ({ digest, size, wanted_at: now.getTime() }))
    const columns = { digest: 'text', size: 'bigint', wanted_at: 'bigint' } as const
    const names = ['digest', 'size', 'wanted_at'] as const
    await db
      .insertInto('blob')
      .columns(names)
      .expression(
        db
          .selectFrom(engine.rows(rows, columns, 'arriving'))
          .select(names)
          // Without a condition SQLite takes `on conflict` for part of a join.
          .where(sql<boolean>`true`),
      )
      .onConflict((conflict) =>
        conflict.column('digest').doUpdateSet({ wanted_at: later('blob.wanted_at', 'excluded.wanted_at') }),
      )
      .execute()
  }
}

/** SHA-256 needs no row: it is the blob's name. */
export async function addBlobChecksums(
  { db, engine }: Session,
  checksums: readonly { readonly digest: Sha256; readonly checksum: Checksum }[],
): Promise<void> {
  const unique = new Map(
    checksums
      .filter(({ checksum }) => checksum.algorithm !== 'sha256')
      .map(({ digest, checksum: { algorithm, hex } }) => [`${algorithm}:${hex}`, { digest, algorithm, hex }]),
  )
  for (const batch of batches(unique.values())) {
    const columns = { digest: 'text', algorithm: 'text', hex: 'text' } as const
    await db
      .insertInto('blob_checksum')
      .columns(['algorithm', 'hex', 'blob'])
      .expression(
        db
          .selectFrom(engine.rows(batch, columns, 'arriving'))
          .innerJoin('blob', 'blob.digest', 'arriving.digest')
          .select(['arriving.algorithm', 'arriving.hex', 'blob.pk'])
          .where(sql<boolean>`true`),
      )
      .onConflict((conflict) =>
        conflict.columns(['algorithm', 'hex']).doUpdateSet((eb) => ({ blob: eb.ref('excluded.blob') })),
      )
      .execute()
  }
}

/**
 * Where a revision that is no root still names a forgotten blob, its content is forgotten as well: it could not be published whole.
 * @returns in the order given
 */
export async function forgetBlobs(
  session: Session,
  digests: readonly Sha256[],
  before: Date,
): Promise<readonly Sha256[]> {
  const dropped: Sha256[] = []
  for (const batch of batches(new Set(digests))) {
    const kept = await forgetBatch(session, batch, before)
    dropped.push(...batch.filter((digest) => !kept.has(digest)))
  }
  return dropped
}

/** @returns those that stay */
async function forgetBatch(session: Session, digests: readonly Sha256[], before: Date) {
  const { db, engine } = session
  const { leaving, kept } = await lookForUnreached(session, digests, before)
  if (leaving.length > 0) {
    await forgetRevisionsOf(session, leaving, before)
    await db
      .deleteFrom('blob')
      .where(
        'pk',
        'in',
        db.selectFrom(engine.rows(leaving, { pk: 'bigint' }, 'leaving')).select('leaving.pk'),
      )
      .execute()
  }
  return kept
}

async function forgetRevisionsOf(
  session: Session,
  blobs: readonly { readonly pk: number }[],
  now: Date,
): Promise<void> {
  const { db, engine } = session
  const leaving = () => engine.rows(blobs, { pk: 'bigint' }, 'leaving')
  const intervals = ['repository', 'added_in', 'removed_in'] as const
  const packages = await db
    .selectFrom(leaving())
    .innerJoin('package_file', 'package_file.blob', 'leaving.pk')
    .innerJoin('package', 'package.pk', 'package_file.package')
    .select(intervals)
    .distinct()
    .execute()
  const files = await db
    .selectFrom(leaving())
    .innerJoin('repository_file', 'repository_file.blob', 'leaving.pk')
    .select(intervals)
    .distinct()
    .execute()
  const byRepository = Map.groupBy([...packages, ...files], ({ repository }) => repository)
  for (const [repository, rows] of byRepository) {
    const kept = await db
      .selectFrom('revision')
      .select('number')
      .where('repository', '=', repository)
      .where('pruned_at', 'is', null)
      .execute()
    const broken = kept
      .map(({ number }) => number)
      .filter((number) =>
        rows.some(
          ({ added_in, removed_in }) => added_in <= number && (removed_in === null || number < removed_in),
        ),
      )
    await pruneNumbers(session, repository, broken, now)
  }
}
