import { sql } from 'kysely'
import type { CatalogFlaw } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'
import type { CheckedRepository, CheckedRevision } from './repositories.ts'

/** Numbers without gaps; the latest is the newest that is sealed; what is named is kept; what is kept holds what it says. */
export async function* wrongRevisions(
  session: Session,
  repository: CheckedRepository,
): AsyncGenerator<CatalogFlaw> {
  const { revisions, latest } = repository
  const flaw = (number: number, message: string): CatalogFlaw => ({
    check: 'revision',
    repository: repository.id,
    subject: `revision ${number}`,
    message,
  })
  for (const [index, { number }] of revisions.entries()) {
    if (number === index + 1) continue
    yield flaw(number, `stands where revision ${index + 1} should`)
    break
  }
  const sealed = revisions.filter(({ isSealed }) => isSealed)
  if (sealed.at(-1)?.number !== latest)
    yield flaw(latest, `is called the latest, and the newest is ${sealed.at(-1)?.number ?? 'none'}`)
  for (const { number, isSealed } of revisions)
    if (!isSealed && number !== revisions.at(-1)?.number) yield flaw(number, 'is open and not the newest')
  const kept = new Set(sealed.filter(({ isKept }) => isKept).map(({ number }) => number))
  for (const { number, named } of await namedRevisions(session, repository))
    if (!kept.has(number)) yield flaw(number, `is needed by ${named} and not kept`)

  const packages = await packageCounts(session, repository.pk)
  const sizes = await totalSizes(session, repository.pk)
  for (const { number, isSealed, isKept, packageCount, totalSize } of revisions) {
    const count = packages(number)
    const size = sizes(number)
    if (!isSealed || !isKept) continue
    if (count !== packageCount) yield flaw(number, `should hold ${packageCount} packages and holds ${count}`)
    if (size !== totalSize) yield flaw(number, `should hold ${totalSize} bytes and holds ${size}`)
  }
}

async function namedRevisions({ db }: Session, repository: CheckedRepository) {
  const snapshots = await db
    .selectFrom('snapshot')
    .select(['revision', 'name'])
    .where('repository', '=', repository.pk)
    .execute()
  const generations = await db
    .selectFrom('generation_source')
    .innerJoin('generation', 'generation.pk', 'generation_source.generation')
    .select(['generation_source.revision', 'publication'])
    .where('repository', '=', repository.pk)
    .execute()
  return [
    { number: repository.latest, named: `${repository.id} as its latest` },
    ...snapshots.map(({ revision, name }) => ({
      number: revision,
      named: `the snapshot ${repository.id}@${name}`,
    })),
    ...generations.map(({ revision, publication }) => ({
      number: revision,
      named: `a generation of ${publication}`,
    })),
  ]
}

/** What a revision holds, asked for in rising order: what came up to it, without what went. */
type RunningSum = (number: CheckedRevision['number']) => number

function runningSum(changes: readonly { readonly at: number; readonly by: number }[]): RunningSum {
  const sorted = changes.toSorted((a, b) => a.at - b.at)
  let index = 0
  let sum = 0
  return (number) => {
    for (let change = sorted[index]; change && change.at <= number; change = sorted[index]) {
      sum += change.by
      index += 1
    }
    return sum
  }
}

/** Both from indexes alone. */
async function packageCounts({ db }: Session, repository: number): Promise<RunningSum> {
  const added = await db
    .selectFrom('package')
    .select(({ fn }) => ['added_in as at', fn.countAll<number>().as('rows')])
    .where('repository', '=', repository)
    .groupBy('added_in')
    .execute()
  const removed = await db
    .selectFrom('package')
    .select(({ fn }) => ['removed_in as at', fn.countAll<number>().as('rows')])
    .where('repository', '=', repository)
    .where('removed_in', 'is not', null)
    .$narrowType<{ at: number }>()
    .groupBy('removed_in')
    .execute()
  return runningSum([
    ...added.map(({ at, rows }) => ({ at, by: rows })),
    ...removed.map(({ at, rows }) => ({ at, by: -rows })),
  ])
}

/** For rows that were never removed. */
const never = Number.MAX_SAFE_INTEGER

/**
 * A blob counts once in a revision, however many rows name it there: intervals of each blob are cut into pieces that do not overlap. Summed by
 * the database, so that what comes out is as long as there are pairs of ends.
 */
async function totalSizes({ db }: Session, repository: number): Promise<RunningSum> {
  const { rows } = await sql<{ start: number; stop: number; bytes: number }>`
    with used as (
      select package_file.blob, added_in, coalesce(removed_in, cast(${never} as bigint)) as removed_in
      from package join package_file on package_file.package = package.pk
      where package.repository = ${repository}
      union all
      select blob, added_in, coalesce(removed_in, cast(${never} as bigint))
      from repository_file where repository = ${repository}
    ),
    covered as (
      select blob, added_in, removed_in, max(removed_in) over (
        partition by blob order by added_in, removed_in rows between unbounded preceding and 1 preceding
      ) as until
      from used
    ),
    piece as (
      select blob, case when until > added_in then until else added_in end as start, removed_in as stop
      from covered where until is null or until < removed_in
    )
    select start, stop, cast(sum(blob.size) as bigint) as bytes
    from piece join blob on blob.pk = piece.blob
    group by start, stop
  `.execute(db)
  return runningSum(
    rows.flatMap(({ start, stop, bytes }) => [
      { at: start, by: bytes },
      { at: stop, by: -bytes },
    ]),
  )
}
