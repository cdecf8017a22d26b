import { setImmediate } from 'node:timers/promises'
import type { Catalog } from '../../catalog/catalog.ts'

/** Rows that one transaction deletes: a fraction of a second, in which no other writer gets its turn. */
export const rowsAtOnce = 5000

/**
 * Forgets the content of revisions that are no root and were superseded before `before`, in short transactions. What an interrupted run
 * leaves is hidden, and the next one's to delete.
 * @returns how many revisions
 */
export async function pruneRevisions(
  catalog: Pick<Catalog, 'write'>,
  before: Date,
  signal: AbortSignal,
): Promise<number> {
  let revisions = 0
  for (let isDone = false; !isDone; ) {
    signal.throwIfAborted()
    const step = await catalog.write((writer) => writer.pruneRevisions(before, rowsAtOnce))
    revisions += step.revisions
    isDone = step.isDone
    // SQLite's transactions are one piece of work: leases have to be renewed between them.
    await setImmediate()
  }
  return revisions
}
