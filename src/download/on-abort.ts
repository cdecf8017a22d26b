type Callback = () => void

const callbacksOf = new WeakMap<AbortSignal, Set<Callback>>()

/**
 * Has `callback` called when `signal` aborts, once, unless {@link offAbort} comes before. For what comes and goes by the thousand on one
 * signal: an event listener for each costs several times as much.
 */
export function onAbort(signal: AbortSignal, callback: Callback): void {
  const known = callbacksOf.get(signal)
  if (known) {
    known.add(callback)
    return
  }
  const callbacks = new Set([callback])
  callbacksOf.set(signal, callbacks)
  signal.addEventListener(
    'abort',
    () => {
      for (const each of callbacks) each()
      callbacks.clear()
    },
    { once: true },
  )
}

export function offAbort(signal: AbortSignal, callback: Callback): void {
  callbacksOf.get(signal)?.delete(callback)
}
