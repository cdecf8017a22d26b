import type { Selectable } from 'kysely'
import type { Session } from '../engine.ts'
import type { LeaseHolder, LeaseRequest } from '../lease.ts'
import type { Tables } from '../schema.ts'
import type { HostFacts } from './host.ts'

export type LeaseRow = Selectable<Tables['lease']>

/** Those that a request for `resource` may have to wait for, in order of arrival. The catalog as a whole is part of every resource. */
export function leaseRows({ db }: Session, resource: string): Promise<readonly LeaseRow[]> {
  const rows = db.selectFrom('lease').selectAll().orderBy('pk')
  return (resource === 'catalog' ? rows : rows.where('resource', 'in', [resource, 'catalog'])).execute()
}

/** Whether it is there, and not another's. */
export async function isHeld(db: Session['db'], token: string): Promise<boolean> {
  const row = await db
    .selectFrom('lease')
    .select('pk')
    .where('token', '=', token)
    .where('state', '=', 'held')
    .executeTakeFirst()
  return row !== undefined
}

export function holderOf(row: LeaseRow): LeaseHolder {
  return {
    resource: row.resource,
    mode: row.mode,
    state: row.state,
    purpose: row.purpose,
    host: row.host,
    pid: row.pid,
    acquiredAt: new Date(row.acquired_at),
    expiresAt: new Date(row.expires_at),
  }
}

/**
 * Whether a holder is known to be dead, or was not heard of for too long. Another boot of this machine is known by the machine's own id:
 * two machines may share a host name.
 */
export function isDead(row: LeaseRow, self: HostFacts, now: number): boolean {
  if (row.expires_at <= now) return true
  if (row.host !== self.host || row.machine !== self.machine || row.namespace !== self.namespace) return false
  if (row.boot !== self.boot) return self.machine !== ''
  if (row.process_start === '') return false
  return self.startOf(row.pid) !== row.process_start
}

/** What keeps `request` waiting: a conflicting holder, or a conflicting request that came first. `null`: nothing. */
export function blockerOf(
  request: Pick<LeaseRequest, 'mode'>,
  rows: readonly LeaseRow[],
  own: number | null,
): LeaseRow | null {
  const conflicts = rows.filter(
    (row) => row.pk !== own && (row.mode === 'exclusive' || request.mode === 'exclusive'),
  )
  return (
    conflicts.find(({ state }) => state === 'held') ??
    conflicts.find(({ pk }) => own === null || pk < own) ??
    null
  )
}
