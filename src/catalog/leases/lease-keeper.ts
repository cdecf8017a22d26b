import { ChantalError } from '../../core/errors.ts'
import type { SqlEngine } from '../engine.ts'
import type { Lease, LeaseRequest, LeaseTerms } from '../lease.ts'
import { acquireLease, dropLease } from './acquire-lease.ts'
import type { HostFacts } from './host.ts'
import { isHeld } from './lease-rows.ts'

interface Held {
  readonly resource: string
  readonly lost: AbortController
  /** Monotonic, in milliseconds: from then on someone else may hold it. */
  expiresAt: number
}

const takenOver = 'another process took it over'

/** Renews all leases of one catalog, and tells those that could not be renewed in time. */
export class LeaseKeeper implements AsyncDisposable {
  readonly #engine: SqlEngine
  readonly #self: HostFacts
  readonly #terms: LeaseTerms
  /** By token. */
  readonly #held = new Map<string, Held>()
  #timer: NodeJS.Timeout | null = null
  #renewing: Promise<void> | null = null

  constructor(engine: SqlEngine, self: HostFacts, terms: LeaseTerms) {
    this.#engine = engine
    this.#self = self
    this.#terms = terms
  }

  async acquire(request: LeaseRequest): Promise<Lease> {
    const { token, tookOverFrom, grantedAt } = await acquireLease({
      engine: this.#engine,
      self: this.#self,
      terms: this.#terms,
      request,
    })
    const lost = new AbortController()
    const held = { resource: request.resource, lost, expiresAt: grantedAt + this.#terms.ttlMs }
    this.#held.set(token, held)
    this.#schedule()
    const signal = AbortSignal.any([lost.signal, request.signal])
    return {
      signal,
      tookOverFrom,
      assertHeld: async () => {
        signal.throwIfAborted()
        if (!(await this.#engine.read((db) => isHeld(db, token)))) this.#lose(token, held, takenOver)
        signal.throwIfAborted()
      },
      [Symbol.asyncDispose]: async () => {
        if (this.#held.delete(token)) await this.#giveBack(token)
      },
    }
  }

  /** A lease that cannot be given back ends by its time: no reason to fail work that is done. */
  async #giveBack(token: string): Promise<void> {
    await dropLease(this.#engine, token).catch(() => {})
  }

  #schedule(): void {
    if (this.#timer || this.#held.size === 0) return
    const now = performance.now()
    // Aborts some time before the end, which the work needs to hear of it and stop.
    const firstLoss = Math.min(...[...this.#held.values()].map((held) => held.expiresAt - this.#marginMs))
    // A timer may fire a moment early.
    const delay = Math.max(10, Math.min(this.#terms.renewEveryMs, Math.ceil(firstLoss - now) + 2))
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#tick()
    }, delay)
    this.#timer.unref()
  }

  get #marginMs(): number {
    return this.#terms.ttlMs / 6
  }

  #tick(): void {
    const now = performance.now()
    for (const [token, held] of this.#held)
      if (held.expiresAt - this.#marginMs <= now) this.#lose(token, held, 'it could not be renewed in time')
    // One that hangs must not keep the others from being told.
    this.#renewing ??= this.#renew()
      .catch(() => {})
      .finally(() => {
        this.#renewing = null
      })
    this.#schedule()
  }

  async #renew(): Promise<void> {
    const asked = [...this.#held.keys()]
    if (asked.length === 0) return
    const startedAt = performance.now()
    const renewed = await this.#engine.write(async (db) => {
      const now = await this.#engine.clock(db)
      const rows = await db
        .updateTable('lease')
        .set({ expires_at: now + this.#terms.ttlMs })
        .where('token', 'in', asked)
        .returning('token')
        .execute()
      return new Set(rows.map(({ token }) => token))
    })
    for (const token of asked) {
      const held = this.#held.get(token)
      if (!held) continue
      if (renewed.has(token)) held.expiresAt = startedAt + this.#terms.ttlMs
      else this.#lose(token, held, takenOver)
    }
  }

  #lose(token: string, held: Held, reason: string): void {
    this.#held.delete(token)
    held.lost.abort(
      new ChantalError('LEASE_LOST', `lost the lease on ${held.resource}: ${reason}`, {
        hint: 'Run the command again. If it happens often, look at the load of this machine and of the database.',
        details: { resource: held.resource },
      }),
    )
    // Where nobody has taken it yet, the next need not wait for the rest of its time; the row is ours alone.
    void this.#giveBack(token)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    const left = [...this.#held.keys()]
    this.#held.clear()
    for (const token of left) await this.#giveBack(token)
    await this.#renewing
  }
}
