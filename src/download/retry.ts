import { setTimeout as sleep } from 'node:timers/promises'
import type { ChantalError } from '../core/errors.ts'

/** Waits, or rejects with the signal's reason. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>

export const waitByTimer: Wait = async (ms, signal) => {
  signal.throwIfAborted()
  await sleep(ms, undefined, { signal }).catch((error) => {
    throw signal.aborted ? signal.reason : error
  })
}

const baseMs = 500
const capMs = 30_000
const retryAfterCapMs = 120_000

/**
 * Exponential backoff with full jitter: anything from nothing to 0.5 s, 1 s, 2 s ... 30 s.
 * @param tries failed so far, from 1
 * @param random from 0 up to, not including, 1
 */
export function backoffMs(tries: number, random: () => number): number {
  return Math.floor(random() * Math.min(capMs, baseMs * 2 ** (tries - 1)))
}

/**
 * What a `Retry-After` header asks for, in milliseconds, two minutes at most; `null` where it says nothing usable.
 * @param header seconds or an HTTP date
 * @see RFC 9110, section 10.2.3
 */
export function parseRetryAfter(header: string, now: number): number | null {
  const text = header.trim()
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(ms) ? null : Math.min(retryAfterCapMs, Math.max(0, ms))
}

/** Hosts that have asked to be left alone for a while. All repositories heed it. */
export class HostPauses {
  readonly #now: () => number
  readonly #until = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  pause(host: string, ms: number): void {
    this.#until.set(host, Math.max(this.#until.get(host) ?? 0, this.#now() + ms))
  }

  remainingMs(host: string): number {
    const until = this.#until.get(host)
    if (until === undefined) return 0
    const ms = until - this.#now()
    if (ms <= 0) this.#until.delete(host)
    return Math.max(0, ms)
  }
}

/**
 * Whether the same mirror may be asked again.
 * @param mismatches how often its bytes were wrong: once may be a hiccup, twice is what it serves
 */
export function mayRetry(error: ChantalError, mismatches: number): boolean {
  if (error.code === 'CHECKSUM_MISMATCH') return mismatches < 2
  // A stale mirror does not catch up within a run, and a full disk is not the mirror's.
  return error.traits.retry && error.code === 'UPSTREAM_UNREACHABLE'
}
