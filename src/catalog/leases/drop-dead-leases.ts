import type { SqlEngine } from '../engine.ts'
import type { LeaseHolder } from '../lease.ts'
import type { HostFacts } from './host.ts'
import { holderOf, isDead } from './lease-rows.ts'

/** Whatever they held. @returns whose they were, in order of arrival */
export function dropDeadLeases(engine: SqlEngine, self: HostFacts): Promise<readonly LeaseHolder[]> {
  return engine.write(async (db) => {
    await engine.lockLeases(db)
    const now = await engine.clock(db)
    const rows = await db.selectFrom('lease').selectAll().orderBy('pk').execute()
    const dead = rows.filter((row) => isDead(row, self, now))
    for (const { pk } of dead) await db.deleteFrom('lease').where('pk', '=', pk).execute()
    return dead.map(holderOf)
  })
}
