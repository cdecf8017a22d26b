import { sql } from 'kysely'
import type { PruneStep } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { isPrunable } from '../queries/roots.ts'
import { deletePackages } from './revision-content.ts'

/**
 * Revisions are marked first, all at once, and seen by nobody from then on; their rows go in as many transactions as it takes, and a
 * dead process's are found by their mark: `pruned_at` is negative while rows may be left.
 */
export async function pruneRevisions(session: Session, before: Date, maxRows: number): Promise<PruneStep> {
  const begun = await repositoriesBeingPruned(session)
  const revisions = begun.length > 0 ? 0 : await markPrunable(session, before)
  let rows = maxRows
  for (const repository of begun.length > 0 ? begun : await repositoriesBeingPruned(session)) {
    rows -= await deleteUnshown(session, repository, rows)
    if (rows <= 0) return { revisions, isDone: false }
  }
  // What an earlier call had marked is done: there may be more by now.
  return { revisions, isDone: begun.length === 0 }
}

/** Forgets the content of these revisions in this transaction. */
export async function pruneNumbers(
  session: Session,
  repository: number,
  numbers: readonly number[],
  prunedAt: Date,
): Promise<void> {
  const { db, engine } = session
  const pruned = engine.rows(
    numbers.map((number) => ({ number })),
    { number: 'bigint' },
    'pruned',
  )
  await db
    .updateTable('revision')
    .set({ pruned_at: markOf(prunedAt) })
    .where('repository', '=', repository)
    .where('pruned_at', 'is', null)
    .where('number', 'in', db.selectFrom(pruned).select('pruned.number'))
    .execute()
  await deleteUnshown(session, repository, Number.POSITIVE_INFINITY)
}

/** Marks every revision of a repository: from then on it holds nothing. */
export async function pruneAll({ db }: Session, repository: number, prunedAt: Date): Promise<void> {
  await db
    .updateTable('revision')
    .set({ pruned_at: markOf(prunedAt) })
    .where('repository', '=', repository)
    .where('pruned_at', 'is', null)
    .execute()
}

async function markPrunable({ db }: Session, before: Date): Promise<number> {
  const result = await db
    .updateTable('revision')
    .set({ pruned_at: markOf(before) })
    .where('pruned_at', 'is', null)
    .where(isPrunable(before))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

async function repositoriesBeingPruned({ db }: Session): Promise<readonly number[]> {
  const rows = await db
    .selectFrom('revision')
    .select('repository')
    .where('pruned_at', '<', 0)
    .distinct()
    .orderBy('repository')
    .execute()
  return rows.map(({ repository }) => repository)
}

/** Revisions of which none is kept, between two that are. Rows that begin and end within show nowhere. */
interface Gap {
  /** The kept revision before; 0 where there is none. */
  readonly after: number
  /** The kept revision behind; `null` where there is none, so that what was never removed goes too. */
  readonly until: number | null
}

/** What looking through a gap costs, in rows: a transaction of many empty ones ends as well. */
const rowsOfGap = 20

/** @returns rows deleted, and what the search cost; at least `maxRows` where some may be left */
export async function deleteUnshown(session: Session, repository: number, maxRows: number): Promise<number> {
  const { db } = session
  let cost = 0
  for (const { after, until } of await gaps(session, repository)) {
    for (const table of ['package', 'repository_file'] as const) {
      const limit = Number.isFinite(maxRows) ? Math.max(maxRows - cost, 1) : null
      let query = db
        .selectFrom(table)
        .select('pk')
        .where('repository', '=', repository)
        .where('added_in', '>', after)
      // Both ends of each, so that whichever index is chosen is read from the gap alone.
      if (until !== null) {
        query = query
          .where('added_in', '<', until)
          .where('removed_in', '>', after)
          .where('removed_in', '<=', until)
      }
      if (limit !== null) query = query.limit(limit)
      const rows = await query.execute()
      if (table === 'package')
        await deletePackages(
          session,
          rows.map(({ pk }) => pk),
        )
      else await deleteFiles(session, rows)
      cost += rows.length
      if (limit !== null && rows.length === limit) return Math.max(cost, maxRows)
    }
    await finish(session, repository, { after, until })
    cost += rowsOfGap
    if (cost >= maxRows) return cost
  }
  return cost
}

async function gaps({ db }: Session, repository: number): Promise<readonly Gap[]> {
  const numbers = await db
    .selectFrom('revision')
    .select(['number', 'pruned_at'])
    .where('repository', '=', repository)
    .where(({ eb, or }) => or([eb('pruned_at', 'is', null), eb('pruned_at', '<', 0)]))
    .orderBy('number')
    .execute()
  const found: Gap[] = []
  let after = 0
  let isOpen = false
  for (const { number, pruned_at } of numbers) {
    if (pruned_at !== null) {
      isOpen = true
      continue
    }
    if (isOpen) found.push({ after, until: number })
    after = number
    isOpen = false
  }
  if (isOpen) found.push({ after, until: null })
  return found
}

async function finish({ db }: Session, repository: number, { after, until }: Gap): Promise<void> {
  let query = db
    .updateTable('revision')
    .set({ pruned_at: sql<number>`- ${sql.ref('pruned_at')}` })
    .where('repository', '=', repository)
    .where('number', '>', after)
    .where('pruned_at', '<', 0)
  if (until !== null) query = query.where('number', '<', until)
  await query.execute()
}

async function deleteFiles({ db, engine }: Session, rows: readonly { readonly pk: number }[]): Promise<void> {
  if (rows.length === 0) return
  const leaving = engine.rows(
    rows.map(({ pk }) => ({ pk })),
    { pk: 'bigint' },
    'leaving',
  )
  await db
    .deleteFrom('repository_file')
    .where('pk', 'in', db.selectFrom(leaving).select('leaving.pk'))
    .execute()
}

/** `pruned_at` while rows may be left: negative, whatever the clock says. */
export function markOf(time: Date): number {
  return -Math.max(time.getTime(), 1)
}
