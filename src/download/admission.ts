import { HostPauses, type Wait } from './retry.ts'
import { acquireAll, HostSlots, Slots } from './slots.ts'

/** Lets requests begin: no more at once than the bounds allow, and none to a host that asked to be left alone for a while. */
export interface Admission {
  /**
   * Resolves once a request to `host` may begin.
   * @returns tells that it ended; only the first call counts
   * @throws the signal's reason
   */
  enter(host: string, signal: AbortSignal): Promise<() => void>
  /** The host asked for it. All repositories heed it. */
  pause(host: string, ms: number): void
  /** Of the host's pause; 0 where there is none. */
  remainingMs(host: string): number
}

export interface AdmissionBounds {
  /** Requests in flight, over all repositories. */
  readonly concurrency: number
  /** Requests in flight to one host, over all repositories. */
  readonly perHost: number
  readonly now: () => number
  readonly wait: Wait
}

/** The bounds of one downloader. */
export class SharedAdmission implements Admission {
  readonly #slots: Slots
  readonly #hostSlots: HostSlots
  readonly #pauses: HostPauses
  readonly #wait: Wait

  constructor({ concurrency, perHost, now, wait }: AdmissionBounds) {
    this.#slots = new Slots(concurrency)
    this.#hostSlots = new HostSlots(perHost)
    this.#pauses = new HostPauses(now)
    this.#wait = wait
  }

  enter(host: string, signal: AbortSignal): Promise<() => void> {
    return this.#enter([this.#hostSlots.of(host), this.#slots], host, signal)
  }

  /** Whether others wait for a request to `host`, or for any request, to end. */
  isWanted(host: string): boolean {
    return this.#slots.isWanted || this.#hostSlots.of(host).isWanted
  }

  /** The same bounds, and a repository's own: so many requests of its own to one host. */
  within(perHost: number): Admission {
    const own = new HostSlots(perHost)
    return {
      enter: (host, signal) =>
        this.#enter([own.of(host), this.#hostSlots.of(host), this.#slots], host, signal),
      pause: (host, ms) => this.pause(host, ms),
      remainingMs: (host) => this.remainingMs(host),
    }
  }

  pause(host: string, ms: number): void {
    this.#pauses.pause(host, ms)
  }

  remainingMs(host: string): number {
    return this.#pauses.remainingMs(host)
  }

  async #enter(slots: readonly Slots[], host: string, signal: AbortSignal): Promise<() => void> {
    const pauseMs = this.#pauses.remainingMs(host)
    if (pauseMs > 0) await this.#wait(pauseMs, signal)
    return acquireAll(slots, signal)
  }
}
