/** At most `size` holders at once; those who wait are served in order. */
export class Slots {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(size: number) {
    this.#free = Math.max(1, size)
  }

  /** Resolves with a slot in hand; rejects with the signal's reason, without one. */
  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      const grant = () => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        this.#waiting.delete(grant)
        reject(signal.reason)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(grant)
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
  let held = 0
  const release = () => {
    for (const slots of all.slice(0, held)) slots.release()
    held = 0
  }
  try {
    for (const slots of all) {
      await slots.acquire(signal)
      held += 1
    }
  } catch (error) {
    release()
    throw error
  }
  return release
}
