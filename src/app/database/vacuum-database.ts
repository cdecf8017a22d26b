import type { UseCase } from '../context.ts'

/** The shape of `db vacuum --json`. Sizes are bytes. */
export interface VacuumOutput {
  readonly engine: 'sqlite' | 'postgresql'
  readonly beforeBytes: number
  readonly afterBytes: number
  readonly durationMs: number
}

/**
 * Gives back what deleted rows took, and makes the planner's statistics anew. Nobody else is at work meanwhile.
 * @throws ChantalError `LEASE_HELD` naming who is, `DISK_FULL`
 */
export const vacuumDatabase: UseCase<object, VacuumOutput> = async (
  { catalog, settings, now, reached },
  _,
  signal,
) => {
  const startedAt = now().getTime()
  await using lease = await catalog.acquire({
    resource: 'catalog',
    mode: 'exclusive',
    purpose: 'vacuum the database',
    waitMs: 0,
    signal,
  })
  lease.signal.throwIfAborted()
  reached?.('catalog held')
  const beforeBytes = await catalog.size()
  await catalog.vacuum()
  reached?.('catalog vacuumed')
  return {
    engine: settings.database.kind,
    beforeBytes,
    afterBytes: await catalog.size(),
    durationMs: now().getTime() - startedAt,
  }
}
