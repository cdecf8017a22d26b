import { sql } from 'kysely'
import { type CatalogFlaw, maxFlaws } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'
import type { CheckedRepository } from './repositories.ts'

const tables = [
  { table: 'package', name: 'key' },
  { table: 'repository_file', name: 'path' },
] as const

/** A row begins before it ends, begins and ends with revisions that there were, and ends before the next of its key begins. */
export async function* brokenIntervals(
  session: Session,
  repository: CheckedRepository,
): AsyncGenerator<CatalogFlaw> {
  const { db } = session
  const newest = repository.revisions.at(-1)?.number ?? 0
  for (const { table, name } of tables) {
    const { rows } = await sql<{
      subject: string
      added_in: number
      removed_in: number | null
      next: number | null
    }>`
      select * from (
        select ${sql.ref(name)} as subject, added_in, removed_in,
          lead(added_in) over (partition by ${sql.ref(name)} order by added_in, removed_in is null, removed_in) as next
        from ${sql.table(table)} where repository = ${repository.pk}
      ) as used
      where removed_in <= added_in or next < removed_in or (next is not null and removed_in is null)
        or added_in < 1 or added_in > ${newest} or removed_in > ${newest}
      limit ${maxFlaws}
    `.execute(db)
    for (const { subject, added_in, removed_in, next } of rows) {
      const span = `${added_in} to ${removed_in ?? 'now'}`
      const isOverlapping = next !== null && (removed_in === null || next < removed_in)
      yield {
        check: 'interval',
        repository: repository.id,
        subject,
        message: isOverlapping
          ? `is there twice: from revision ${span}, and again from ${next}`
          : `is there from revision ${span}, which cannot be: there are revisions 1 to ${newest}`,
      }
    }
  }
}
