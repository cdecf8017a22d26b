import type { Session, SqlEngine } from '../engine.ts'
import type { LeaseHealth, LeaseHolder } from '../lease.ts'
import type { HostFacts } from './host.ts'
import { holderOf, isDead, type LeaseRow } from './lease-rows.ts'

/** In order of arrival. */
export async function findLeaseHealth(session: Session, self: HostFacts): Promise<readonly LeaseHealth[]> {
  const now = await session.engine.clock(session.db)
  const rows = await session.db.selectFrom('lease').selectAll().orderBy('pk').execute()
  const held = rows.filter((row) => row.state === 'held' && !isDead(row, self, now))
  return rows.map((row) => {
    const conflicts = held.some((other) => other.pk !== row.pk && excludes(row, other))
    return {
      ...holderOf(row),
      health: isDead(row, self, now) ? 'dead' : row.state === 'held' && conflicts ? 'conflicting' : 'alive',
    }
  })
}

/** Those acquired before a moment, whatever they held. @returns whose they were, in order of arrival */
export function dropDeadLeases(
  engine: SqlEngine,
  self: HostFacts,
  acquiredBefore: Date,
): Promise<readonly LeaseHolder[]> {
  return engine.write(async (db) => {
    await engine.lockLeases(db)
    const now = await engine.clock(db)
    const rows = await db
      .selectFrom('lease')
      .selectAll()
      .where('acquired_at', '<', acquiredBefore.getTime())
      .orderBy('pk')
      .execute()
    const dead = rows.filter((row) => isDead(row, self, now))
    for (const { pk } of dead) await db.deleteFrom('lease').where('pk', '=', pk).execute()
    return dead.map(holderOf)
  })
}

function excludes(one: LeaseRow, other: LeaseRow): boolean {
  const isSame = one.resource === other.resource || [one.resource, other.resource].includes('catalog')
  return isSame && (one.mode === 'exclusive' || other.mode === 'exclusive')
}
