import { type SqlBool, sql } from 'kysely'
import type { Session } from '../engine.ts'
import { isRoot } from '../queries/roots.ts'
import { deletePackages } from './revision-content.ts'

/** Of every repository. @returns how many revisions */
export async function pruneRevisions(session: Session, before: Date): Promise<number> {
  const rows = await session.db
    .selectFrom('revision')
    .innerJoin('repository', 'repository.pk', 'revision.repository')
    .select(['revision.repository', 'revision.number'])
    .where('pruned_at', 'is', null)
    .where(({ not }) => not(isRoot))
    // Superseded when the next one was sealed. Numbers have no gaps: what is discarded gives its number back.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('revision as next')
          .select('next.number')
          .whereRef('next.repository', '=', 'revision.repository')
          .where('next.number', '=', sql<number>`${sql.ref('revision.number')} + 1`)
          .where('next.sealed_at', '<', before.getTime()),
      ),
    )
    .execute()
  for (const [repository, revisions] of Map.groupBy(rows, (row) => row.repository)) {
    await pruneNumbers(
      session,
      repository,
      revisions.map(({ number }) => number),
      before,
    )
  }
  return rows.length
}

/** Marks these revisions and deletes rows that no kept revision shows any more. */
export async function pruneNumbers(
  session: Session,
  repository: number,
  numbers: readonly number[],
  prunedAt: Date,
): Promise<void> {
  if (numbers.length === 0) return
  const { db, engine } = session
  const pruned = engine.rows(
    numbers.map((number) => ({ number })),
    { number: 'bigint' },
    'pruned',
  )
  await db
    .updateTable('revision')
    .set({ pruned_at: prunedAt.getTime() })
    .where('repository', '=', repository)
    .where('number', 'in', db.selectFrom(pruned).select('pruned.number'))
    .execute()
  const packages = await db
    .selectFrom('package')
    .select('package.pk')
    .where('package.repository', '=', repository)
    .where('package.removed_in', 'is not', null)
    .where(({ not }) => not(isInKept('package')))
    .execute()
  await deletePackages(
    session,
    packages.map(({ pk }) => pk),
  )
  await db
    .deleteFrom('repository_file')
    .where('repository_file.repository', '=', repository)
    .where('repository_file.removed_in', 'is not', null)
    .where(({ not }) => not(isInKept('repository_file')))
    .execute()
}

function isInKept(table: 'package' | 'repository_file') {
  const row = sql.table(table)
  return sql<SqlBool>`exists (
    select 1 from revision
    where revision.repository = ${row}.repository
      and revision.number >= ${row}.added_in and revision.number < ${row}.removed_in
      and revision.pruned_at is null
  )`
}
