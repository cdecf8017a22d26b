/**
 * - `pool`: shared while blobs get their names, exclusive while garbage loses them. Both for moments, not for a sync.
 * - `repository:<id>`, `publication:<path>`, `shelf:<repository>`: exclusive, one writer each.
 * - `arrivals:<repository>`: shared, while packages arrive in the pool that no revision names yet: garbage collection spares them.
 * - `garbage`: exclusive, one collection at a time: what one marks the other may be sweeping.
 * - `catalog`: exclusive, for work on the database as a whole. Granted only while nobody holds or waits for any lease, and never
 *   waited for: whoever is at work may have to take another lease before it can end. Meanwhile no other is granted.
 *
 * A waiting exclusive request holds back new shared ones, so it is served in the end.
 */
export type LeaseResource =
  | 'catalog'
  | 'pool'
  | 'garbage'
  | `repository:${string}`
  | `publication:${string}`
  | `shelf:${string}`
  | `arrivals:${string}`

export interface LeaseRequest {
  readonly resource: LeaseResource
  readonly mode: 'shared' | 'exclusive'
  /** Shown to whoever is kept waiting: `sync epel9`. */
  readonly purpose: string
  readonly waitMs: number
  readonly signal: AbortSignal
}

export interface LeaseTerms {
  readonly ttlMs: number
  readonly renewEveryMs: number
}

export interface Lease extends AsyncDisposable {
  /** Aborts with `LEASE_LOST` before anyone else can hold the resource, or with the request's own signal. Pass it to all work done under the lease. */
  readonly signal: AbortSignal
  /** The dead holder that this lease replaced. */
  readonly tookOverFrom: LeaseHolder | null
  /**
   * Asks the database, before a step that nobody can take back: a process that was stopped for a while, or whose clock was set, has been taken
   * over before its signal tells.
   * @throws ChantalError `LEASE_LOST`; the signal's reason
   */
  assertHeld(): Promise<void>
  /** Gives the lease back. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface LeaseHolder {
  readonly resource: string
  readonly mode: 'shared' | 'exclusive'
  readonly state: 'held' | 'waiting'
  readonly purpose: string
  readonly host: string
  readonly pid: number
  readonly acquiredAt: Date
  readonly expiresAt: Date
}

/** A lease, and whether it is as it should be. */
export interface LeaseHealth extends LeaseHolder {
  /** `dead`: its holder is gone or was not heard of in time, and the next who asks gets it. `conflicting`: nobody else may hold it, and somebody does. */
  readonly health: 'alive' | 'dead' | 'conflicting'
}
