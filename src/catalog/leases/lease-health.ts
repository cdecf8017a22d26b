import type { LeaseHealth } from '../catalog-database.ts'
import type { Session } from '../engine.ts'
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

function excludes(one: LeaseRow, other: LeaseRow): boolean {
  const isSame = one.resource === other.resource || [one.resource, other.resource].includes('catalog')
  return isSame && (one.mode === 'exclusive' || other.mode === 'exclusive')
}
