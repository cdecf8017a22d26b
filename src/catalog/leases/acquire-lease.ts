import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChantalError } from '../../core/errors.ts'
import type { Session, SqlEngine } from '../engine.ts'
import type { LeaseHolder, LeaseRequest, LeaseTerms } from '../lease.ts'
import type { HostFacts } from './host.ts'
import { blockerOf, holderOf, isDead, type LeaseRow, leaseRows } from './lease-rows.ts'

export interface AcquireInput {
  readonly engine: SqlEngine
  readonly self: HostFacts
  readonly terms: LeaseTerms
  readonly request: LeaseRequest
}

export interface Granted {
  /** Known to its holder alone, and never another's. */
  readonly token: string
  readonly tookOverFrom: LeaseHolder | null
  /** Monotonic, in milliseconds: before the moment from which the database counts. */
  readonly grantedAt: number
}

interface Attempt {
  readonly blocker: LeaseRow | null
  readonly granted: Granted | null
  /** Our row in the queue. */
  readonly waiting: number | null
  readonly deadHolder: LeaseHolder | null
}

const shortestPauseMs = 25
const longestPauseMs = 250

/**
 * Strictly in order of arrival, so that neither shared nor exclusive requests starve.
 * @throws ChantalError `LEASE_HELD`, and what `request.signal` aborts with
 */
export async function acquireLease(input: AcquireInput): Promise<Granted> {
  const { engine, request } = input
  const token = randomUUID()
  const deadline = performance.now() + (request.resource === 'catalog' ? 0 : request.waitMs)
  let waiting: number | null = null
  let deadHolder: LeaseHolder | null = null
  try {
    for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 1.6, longestPauseMs)) {
      request.signal.throwIfAborted()
      const isLast = performance.now() >= deadline
      if (waiting === null || isLast || (await mayChange(input, waiting))) {
        const attempt = await tryAcquire(input, { token, waiting, deadHolder, isLast })
        if (attempt.granted) {
          waiting = null
          return attempt.granted
        }
        waiting = attempt.waiting
        deadHolder = attempt.deadHolder
        if (isLast && attempt.blocker) throw leaseHeld(attempt.blocker)
      }
      const restMs = Math.max(0, deadline - performance.now())
      await sleep(Math.min(restMs, pauseMs * (0.5 + Math.random() / 2)), undefined, {
        signal: request.signal,
      }).catch((error: unknown) => {
        request.signal.throwIfAborted()
        throw error
      })
    }
  } finally {
    if (waiting !== null) await dropLease(engine, token)
  }
}

/** Gives it back, or gives up waiting. */
export async function dropLease(engine: SqlEngine, token: string): Promise<void> {
  await engine.write(async (db) => {
    await db.deleteFrom('lease').where('token', '=', token).execute()
  })
}

/** Looks without writing: whether it is our turn, or our place in the queue must be renewed. */
async function mayChange({ engine, self, terms, request }: AcquireInput, own: number): Promise<boolean> {
  return engine.read(async (db) => {
    const rows = await leaseRows({ db, engine }, request.resource)
    const now = await engine.clock(db)
    const place = rows.find(({ pk }) => pk === own)
    if (!place || place.expires_at - now < terms.ttlMs / 2) return true
    const living = rows.filter((row) => row.pk === own || !isDead(row, self, now))
    return blockerOf(request, living, own) === null
  })
}

async function tryAcquire(
  input: AcquireInput,
  state: {
    readonly token: string
    readonly waiting: number | null
    readonly deadHolder: LeaseHolder | null
    readonly isLast: boolean
  },
): Promise<Attempt> {
  const { engine, self, terms, request } = input
  const { token, waiting, deadHolder, isLast } = state
  return engine.write(async (db) => {
    await engine.lockLeases(db)
    const session = { db, engine }
    const grantedAt = performance.now()
    const now = await engine.clock(db)
    const rows = await leaseRows(session, request.resource)
    const own = rows.find((row) => row.pk === waiting && row.token === token)?.pk ?? null
    const dead = rows.filter((row) => row.pk !== own && isDead(row, self, now))
    // Those of other resources are left to whoever takes them over, and is told.
    const ours = dead.filter(({ resource }) => resource === request.resource)
    for (const { pk } of ours) await db.deleteFrom('lease').where('pk', '=', pk).execute()
    const deadRow = ours.findLast(
      ({ state, mode }) => state === 'held' && (mode === 'exclusive' || request.mode === 'exclusive'),
    )
    const before = deadRow ? holderOf(deadRow) : deadHolder
    const blocker = blockerOf(
      request,
      rows.filter((row) => !dead.includes(row)),
      own,
    )
    if (blocker && isLast) return { blocker, granted: null, waiting: own, deadHolder: before }
    const pk = await saveLease(session, own, {
      resource: request.resource,
      mode: request.mode,
      state: blocker ? 'waiting' : 'held',
      purpose: request.purpose,
      host: self.host,
      machine: self.machine,
      boot: self.boot,
      namespace: self.namespace,
      pid: self.pid,
      process_start: self.processStart,
      acquired_at: now,
      expires_at: now + terms.ttlMs,
      token,
    })
    return blocker
      ? { blocker, granted: null, waiting: pk, deadHolder: before }
      : { blocker, granted: { token, tookOverFrom: before, grantedAt }, waiting: null, deadHolder: before }
  })
}

async function saveLease({ db }: Session, own: number | null, row: Omit<LeaseRow, 'pk'>): Promise<number> {
  if (own !== null) {
    await db.updateTable('lease').set(row).where('pk', '=', own).execute()
    return own
  }
  const { pk } = await db.insertInto('lease').values(row).returning('pk').executeTakeFirstOrThrow()
  return pk
}

function leaseHeld(row: LeaseRow): ChantalError {
  const holder = holderOf(row)
  const verb = holder.state === 'held' ? 'is held by' : 'is waited for by'
  return new ChantalError(
    'LEASE_HELD',
    `${holder.resource} ${verb} “${holder.purpose}” (process ${holder.pid} on ${holder.host}, since ${holder.acquiredAt.toISOString()})`,
    {
      hint: 'Run the command again when it has finished. `chantal lease list` shows who holds what.',
      details: {
        resource: holder.resource,
        purpose: holder.purpose,
        host: holder.host,
        pid: holder.pid,
        since: holder.acquiredAt.toISOString(),
        expires: holder.expiresAt.toISOString(),
      },
    },
  )
}
