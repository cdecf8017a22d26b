type Callback = () => void

/** What {@link onAbort} gives, for {@link offAbort}. */
export type AbortTicket = number & { readonly __ticket: never }

/**
 * Callbacks by number. A number that is free again is given anew, so the list grows to what waits at once. No set: what comes and goes in
 * one by the thousand, V8 has each of its tables keep the next, with all that was in them, until it collects the whole heap.
 */
class Callbacks {
  readonly #slots: (Callback | null)[] = []
  readonly #free: number[] = []

  add(callback: Callback): AbortTicket {
    const slot = this.#free.pop() ?? this.#slots.length
    this.#slots[slot] = callback
    return slot as AbortTicket
  }

  remove(ticket: AbortTicket): void {
    if (this.#slots[ticket] === null) return
    this.#slots[ticket] = null
    this.#free.push(ticket)
  }

  /** Those of which nobody thinks better meanwhile. */
  callAll(): void {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const callback = this.#slots[slot]
      this.#slots[slot] = null
      callback?.()
    }
  }
}

const callbacksOf = new WeakMap<AbortSignal, Callbacks>()

/**
 * Has `callback` called when `signal` aborts, once, unless {@link offAbort} comes before. For what comes and goes by the thousand on one
 * signal: an event listener for each costs several times as much.
 */
export function onAbort(signal: AbortSignal, callback: Callback): AbortTicket {
  const known = callbacksOf.get(signal)
  if (known) return known.add(callback)
  const callbacks = new Callbacks()
  callbacksOf.set(signal, callbacks)
  signal.addEventListener('abort', () => callbacks.callAll(), { once: true })
  return callbacks.add(callback)
}

/** At most once for each {@link onAbort}: the number may be another's by then. */
export function offAbort(signal: AbortSignal, ticket: AbortTicket): void {
  callbacksOf.get(signal)?.remove(ticket)
}
