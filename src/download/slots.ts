import { offAbort, onAbort } from './on-abort.ts'

/** At most `size` holders at once; those who wait are served in order. */
export class Slots {
  #free: number
  readonly #waiting = new Line<() => void>()

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
        const place = this.#waiting.join(() => {
          offAbort(signal, ticket)
          resolve()
        })
        const ticket = onAbort(signal, () => {
          this.#waiting.leave(place)
          reject(signal.reason)
        })
      }
    })
  }

  release(): void {
    const next = this.#waiting.next()
    if (next) next()
    else this.#free += 1
  }
}

/** Who came first is served first. No set, for the reason that `on-abort.ts` gives. */
class Line<Item> {
  #places: (Item | null)[] = []
  /** The number of the first place. */
  #start = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns the number of the place, for {@link leave} */
  join(item: Item): number {
    this.#size += 1
    return this.#start + this.#places.push(item) - 1
  }

  leave(place: number): void {
    const index = place - this.#start
    if (!this.#places[index]) return
    this.#places[index] = null
    this.#size -= 1
  }

  /** `null` where nobody is left. */
  next(): Item | null {
    while (this.#places.length > 0) {
      const item = this.#places.shift() ?? null
      this.#start += 1
      if (item === null) continue
      this.#size -= 1
      return item
    }
    return null
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
