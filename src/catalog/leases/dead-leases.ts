import type { Session, SqlEngine } from '../engine.ts'
import type { LeaseHolder } from '../lease.ts'
import type { HostFacts } from './host.ts'
import { holderOf, isDead, type LeaseRow } from './lease-rows.ts'

/** In order of arrival. */
export function findLivingLeases(engine: SqlEngine, self: HostFacts): Promise<readonly LeaseHolder[]> {
  return engine.read(async (db) => (await judge({ db, engine }, self)).living.map(holderOf))
}

/** @returns whose they were, in order of arrival */
export function dropDeadLeases(
  engine: SqlEngine,
  self: HostFacts,
  acquiredBefore: Date,
): Promise<readonly LeaseHolder[]> {
  return engine.write(async (db) => {
    await engine.lockLeases(db)
    const { dead } = await judge({ db, engine }, self)
    const dropped = dead.filter(({ acquired_at }) => acquired_at < acquiredBefore.getTime())
    for (const { pk } of dropped) await db.deleteFrom('lease').where('pk', '=', pk).execute()
    return dropped.map(holderOf)
  })
}

async function judge({ db, engine }: Session, self: HostFacts) {
  const now = await engine.clock(db)
  const rows = await db.selectFrom('lease').selectAll().orderBy('pk').execute()
  const [living, dead]: [LeaseRow[], LeaseRow[]] = [[], []]
  for (const row of rows) (isDead(row, self, now) ? dead : living).push(row)
  return { living, dead }
}
