import { sql } from 'kysely'
import type { Session } from '../engine.ts'
import type { CatalogActivity, GrowthStatistics } from '../statistics.ts'

const pageRows = 5000

interface Month {
  revisions: number
  syncs: number
  fetchedFiles: number
  fetchedBytes: number
  packagesAdded: number
  packagesRemoved: number
  /** What its last revision held, by repository. */
  readonly last: Map<number, { readonly packages: number; readonly bytes: number }>
}

/** From the revisions that were ever sealed, and the syncs that history tells of. Months in which nothing happened are left out. */
export async function readGrowth(session: Session): Promise<readonly GrowthStatistics[]> {
  const months = new Map<string, Month>()
  await addRevisions(session, months)
  await addSyncs(session, months)
  const latest: Month['last'] = new Map()
  return [...months]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([month, { last, ...figures }]) => {
      for (const [repository, held] of last) latest.set(repository, held)
      const held = [...latest.values()]
      return {
        month,
        ...figures,
        packages: held.reduce((sum, { packages }) => sum + packages, 0),
        sizeBytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
      }
    })
}

export async function readActivity({ db }: Session, since: Date): Promise<CatalogActivity> {
  const { revisions } = await db
    .selectFrom('revision')
    .select(({ fn }) => fn.countAll<number>().as('revisions'))
    .where('sealed_at', '>=', since.getTime())
    .executeTakeFirstOrThrow()
  const sum = (column: string) => sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`
  const synced = await db
    .selectFrom('sync')
    .select(({ fn }) => [
      fn.countAll<number>().as('syncs'),
      sum('fetched_files').as('fetchedFiles'),
      sum('fetched_bytes').as('fetchedBytes'),
    ])
    .where('finished_at', '>=', since.getTime())
    .executeTakeFirstOrThrow()
  return { revisions, ...synced }
}

async function addRevisions({ db }: Session, months: Map<string, Month>): Promise<void> {
  const rows = await db.selectFrom('repository').select('pk').orderBy('pk').execute()
  for (const { pk: repository } of rows) {
    for (let after = 0, isLast = false; !isLast; ) {
      const page = await db
        .selectFrom('revision')
        .select(['number', 'sealed_at', 'package_count', 'total_size'])
        .where('repository', '=', repository)
        .where('number', '>', after)
        .where('sealed_at', 'is not', null)
        .$narrowType<{ sealed_at: number }>()
        .orderBy('number')
        .limit(pageRows)
        .execute()
      for (const { number, sealed_at, package_count, total_size } of page) {
        const month = monthOf(months, sealed_at)
        month.revisions += 1
        month.last.set(repository, { packages: package_count, bytes: total_size })
        after = number
      }
      isLast = page.length < pageRows
    }
  }
}

async function addSyncs({ db }: Session, months: Map<string, Month>): Promise<void> {
  for (let after = 0, isLast = false; !isLast; ) {
    const page = await db
      .selectFrom('sync')
      .select(['pk', 'finished_at', 'fetched_files', 'fetched_bytes', 'added', 'removed', 'status'])
      .where('pk', '>', after)
      .orderBy('pk')
      .limit(pageRows)
      .execute()
    for (const row of page) {
      const month = monthOf(months, row.finished_at)
      month.syncs += 1
      month.fetchedFiles += row.fetched_files
      month.fetchedBytes += row.fetched_bytes
      // What was not sealed added nothing.
      if (row.status === 'synced') {
        month.packagesAdded += row.added
        month.packagesRemoved += row.removed
      }
      after = row.pk
    }
    isLast = page.length < pageRows
  }
}

function monthOf(months: Map<string, Month>, time: number): Month {
  const name = new Date(time).toISOString().slice(0, 7)
  const known = months.get(name)
  if (known) return known
  const month: Month = {
    revisions: 0,
    syncs: 0,
    fetchedFiles: 0,
    fetchedBytes: 0,
    packagesAdded: 0,
    packagesRemoved: 0,
    last: new Map(),
  }
  months.set(name, month)
  return month
}
