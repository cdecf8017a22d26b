/** Says how long to wait after bytes that came in. */
export interface Throttle {
  /** @returns milliseconds to wait before the next bytes are read; 0 for none */
  take(bytes: number): number
}

/**
 * A bucket that fills at `bytesPerSecond` and holds one second's worth. Bytes that have arrived cannot be sent back, so the bucket
 * may go below zero; whoever took them waits until it is filled again.
 */
export class TokenBucket implements Throttle {
  readonly #bytesPerSecond: number
  readonly #now: () => number
  #tokens: number
  #filledAt: number

  /** @param now milliseconds that never run backwards */
  constructor(bytesPerSecond: number, now: () => number) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
    this.#tokens = bytesPerSecond
    this.#filledAt = now()
  }

  take(bytes: number): number {
    const now = this.#now()
    const filled = (Math.max(0, now - this.#filledAt) / 1000) * this.#bytesPerSecond
    this.#filledAt = now
    this.#tokens = Math.min(this.#bytesPerSecond, this.#tokens + filled) - bytes
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / this.#bytesPerSecond) * 1000)
  }
}

/** The bytes count against each of `limits`; the longest wait holds. `null` where there is no limit. */
export function combineThrottles(limits: readonly (Throttle | null)[]): Throttle | null {
  const active = limits.filter((limit) => limit !== null)
  if (active.length === 0) return null
  return { take: (bytes) => Math.max(...active.map((limit) => limit.take(bytes))) }
}
