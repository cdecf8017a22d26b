import { sql } from 'kysely'
import type { Session } from '../engine.ts'
import type { CatalogCounts } from '../statistics.ts'
import { isBeingImported } from './imports.ts'

export async function countAll({ db }: Session): Promise<CatalogCounts> {
  const repositories = await db
    .selectFrom('repository')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .where(({ not }) => not(isBeingImported))
    .executeTakeFirstOrThrow()
  const snapshots = await db
    .selectFrom('snapshot')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  const viewSnapshots = await db
    .selectFrom('view_snapshot')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  const sum = (column: string) => sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`
  const revisions = await db
    .selectFrom('revision')
    .select(({ fn }) => [fn.countAll<number>().as('rows'), sum('total_size').as('bytes')])
    .where('sealed_at', 'is not', null)
    .where('pruned_at', 'is', null)
    .executeTakeFirstOrThrow()
  const blobs = await db
    .selectFrom('blob')
    .select(({ fn }) => [fn.countAll<number>().as('rows'), sum('size').as('bytes')])
    .executeTakeFirstOrThrow()
  const packages = await db
    .selectFrom('package')
    .innerJoin('repository', 'repository.pk', 'package.repository')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    // What an open revision adds is not there yet.
    .whereRef('package.added_in', '<=', 'repository.latest')
    .executeTakeFirstOrThrow()
  return {
    repositories: repositories.rows,
    revisions: revisions.rows,
    snapshots: snapshots.rows + viewSnapshots.rows,
    packages: packages.rows,
    blobs: blobs.rows,
    blobBytes: blobs.bytes,
    referencedBytes: revisions.bytes,
  }
}
