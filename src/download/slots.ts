import { offAbort, onAbort } from './on-abort.ts'

/** At most `size` holders at once; those who wait are served in order. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(size: number) {
    this.#free = Math.max(1, size)
  }

  /** Whether somebody waits for one. */
  get isWanted(): boolean {
    return this.#waiting.size > 0
  }

  /** Takes a slot where one is free. */
  tryAcquire(): boolean {
    if (this.#free === 0) return false
    this.#free -= 1
    return true
  }

  /** Resolves with a slot in hand; rejects with the signal's reason, without one. */
  acquire(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(signal.reason)
      else if (this.tryAcquire()) resolve()
      else {
        const grant = () => {
          offAbort(signal, giveUp)
          resolve()
        }
        const giveUp = () => {
          this.#waiting.delete(grant)
          reject(signal.reason)
        }
        onAbort(signal, giveUp)
        this.#waiting.add(grant)
      }
    })
  }

  release(): void {
    const [next] = this.#waiting
    if (next) {
      this.#waiting.delete(next)
      next()
    } else {
      this.#free += 1
    }
  }
}

/** Slots for each host, made as hosts appear. */
export class HostSlots {
  readonly #perHost: number
  readonly #hosts = new Map<string, Slots>()

  constructor(perHost: number) {
    this.#perHost = perHost
  }

  of(host: string): Slots {
    const known = this.#hosts.get(host)
    if (known) return known
    const slots = new Slots(this.#perHost)
    this.#hosts.set(host, slots)
    return slots
  }
}

/**
 * Takes one of each of `all`, in the order given; every caller uses the same order, so none waits for another in a circle.
 * @returns gives them back; only the first call counts
 */
export async function acquireAll(all: readonly Slots[], signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted()
  let held = 0
  const release = () => {
    for (let index = 0; index < held; index++) all[index]?.release()
    held = 0
  }
  try {
    for (const slots of all) {
      if (!slots.tryAcquire()) await slots.acquire(signal)
      held += 1
    }
  } catch (error) {
    release()
    throw error
  }
  return release
}
