import { sql } from 'kysely'
import { type CatalogFlaw, maxFlaws } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'
import type { CheckedRepository } from './repositories.ts'

/** Packages whose records are counted together. */
const rangePackages = 50_000
const pageChunks = 5000

/** A chunk counts the fragments that are named: too few, and it goes too early; too many, and never. */
export async function* wrongChunks({ db }: Session): AsyncGenerator<CatalogFlaw> {
  const named = await namedFragments({ db })
  let found = 0
  for (let after = 0, isLast = false; !isLast; ) {
    const page = await db
      .selectFrom('record_chunk')
      .innerJoin('repository', 'repository.pk', 'record_chunk.repository')
      .select(['record_chunk.pk', 'live', 'repository.id'])
      .where('record_chunk.pk', '>', after)
      .orderBy('record_chunk.pk')
      .limit(pageChunks)
      .execute()
    for (const { pk, live, id } of page) {
      after = pk
      const count = named.get(pk) ?? 0
      if (count === live || found >= maxFlaws) continue
      found += 1
      yield {
        check: 'record',
        repository: id,
        subject: `chunk ${pk}`,
        message: `counts ${live} native records, and ${count} name it`,
      }
    }
    isLast = page.length < pageChunks
  }
}

/** By chunk, of which there is one for about a hundred records. */
async function namedFragments({ db }: Pick<Session, 'db'>): Promise<ReadonlyMap<number, number>> {
  const named = new Map<number, number>()
  const { newest } = await db
    .selectFrom('package')
    .select(({ fn }) => fn.max('pk').as('newest'))
    .executeTakeFirstOrThrow()
  for (let after = 0; after < (newest ?? 0); after += rangePackages) {
    const rows = await db
      .selectFrom('package_record')
      .select(({ fn }) => ['chunk', fn.countAll<number>().as('count')])
      .where('package', '>', after)
      .where('package', '<=', after + rangePackages)
      .groupBy('chunk')
      .execute()
    for (const { chunk, count } of rows) named.set(chunk, (named.get(chunk) ?? 0) + count)
  }
  return named
}

/** Packages of a kept revision that has native records, without a part that publishing needs. */
export async function* missingRecords(
  { db }: Session,
  repository: CheckedRepository,
  parts: readonly string[],
): AsyncGenerator<CatalogFlaw> {
  const isNeeded = repository.revisions.some(
    ({ hasRecords, isSealed, isKept }) => hasRecords && isSealed && isKept,
  )
  if (!isNeeded) return
  for (const part of parts) {
    const { rows } = await sql<{ key: string }>`
      select key from package
      where repository = ${repository.pk}
        and not exists (select 1 from package_record where package = package.pk and part = ${part})
        and exists (
          select 1 from revision
          where revision.repository = package.repository and revision.number >= package.added_in
            and (package.removed_in is null or revision.number < package.removed_in)
            and revision.pruned_at is null and revision.sealed_at is not null and revision.has_records = 1
        )
      limit ${maxFlaws}
    `.execute(db)
    for (const { key } of rows) {
      yield {
        check: 'record',
        repository: repository.id,
        subject: key,
        message: `has no native record of its part ${part}`,
      }
    }
  }
}
