import { setTimeout as sleep } from 'node:timers/promises'

/** How time passes, in milliseconds. */
export interface Clock {
  now(): number
  wait(ms: number, signal: AbortSignal): Promise<void>
}

const realClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
}

/** Shorter waits cost more than they even out. */
const shortestWaitMs = 10

/** Keeps reading to so many bytes a second on average, from the first byte on. */
export class ReadRate {
  readonly #bytesPerSecond: number | null
  readonly #clock: Clock
  readonly #startedAt: number
  #bytes = 0

  /** @param bytesPerSecond `null` is as fast as the disk */
  constructor(bytesPerSecond: number | null, clock: Clock = realClock) {
    this.#bytesPerSecond = bytesPerSecond
    this.#clock = clock
    this.#startedAt = clock.now()
  }

  /** Resolves once these bytes may have been read. @throws the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#bytesPerSecond === null) return
    this.#bytes += bytes
    const dueMs = (this.#bytes / this.#bytesPerSecond) * 1000 - (this.#clock.now() - this.#startedAt)
    if (dueMs >= shortestWaitMs) await this.#clock.wait(dueMs, signal)
  }
}
