/**
 * Runs `work` on items, at most `limit` at once, and yields results in order of completion. Results that nobody has taken yet count
 * as in flight, so neither the items nor the work run ahead of the consumer by more than `limit`.
 * @param work its rejection ends the whole; so does the signal, with its reason
 * @param drop gets results that nobody takes any more
 */
export async function* inFlight<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  limit: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  drop: (result: Result) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const stop = new AbortController()
  const shared = AbortSignal.any([signal, stop.signal])
  const queue = new HandOver<Result>()
  const source = Symbol.asyncIterator in items ? new SharedSource(items) : new ReadySource(items)
  const workers = Array.from({ length: Math.max(1, limit) }, async () => {
    for (;;) {
      shared.throwIfAborted()
      const pulled = source.next()
      const item = pulled instanceof Promise ? await pulled : pulled
      if (item === null) return
      await queue.give(await work(item.value, shared))
    }
  })
  const finished = Promise.all(workers).then(
    () => queue.end(null),
    (error) => queue.end({ error }),
  )
  try {
    for (let result = await queue.take(); result !== null; result = await queue.take()) {
      yield result.value
      signal.throwIfAborted()
    }
  } finally {
    stop.abort(new Error('no longer wanted'))
    queue.stop()
    await Promise.allSettled([...workers, finished])
    for (const result of queue.leftovers()) await drop(result)
    await source.close()
  }
}

interface Box<Value> {
  readonly value: Value
}

/** Items that are at hand. */
class ReadySource<Item> {
  readonly #iterator: Iterator<Item>
  #isDone = false

  constructor(items: Iterable<Item>) {
    this.#iterator = items[Symbol.iterator]()
  }

  next(): Box<Item> | null {
    if (this.#isDone) return null
    const { done, value } = this.#iterator.next()
    if (!done) return { value }
    this.#isDone = true
    return null
  }

  async close(): Promise<void> {
    if (!this.#isDone) this.#iterator.return?.()
    this.#isDone = true
  }
}

/** One iterator for several workers: a pull begins when the one before has ended. */
class SharedSource<Item> {
  readonly #iterator: AsyncIterator<Item>
  #last: Promise<unknown> = Promise.resolve()
  #isDone = false

  constructor(items: AsyncIterable<Item>) {
    this.#iterator = items[Symbol.asyncIterator]()
  }

  next(): Promise<Box<Item> | null> {
    const pulled = this.#last.then(() => this.#pull())
    this.#last = pulled.catch(() => undefined)
    return pulled
  }

  async close(): Promise<void> {
    await this.#last
    if (!this.#isDone) await this.#iterator.return?.()
    this.#isDone = true
  }

  async #pull(): Promise<Box<Item> | null> {
    if (this.#isDone) return null
    try {
      const { done, value } = await this.#iterator.next()
      if (!done) return { value }
      this.#isDone = true
      return null
    } catch (error) {
      this.#isDone = true
      throw error
    }
  }
}

/** Hands results to one consumer; a giver goes on when its result has been taken. */
class HandOver<Value> {
  readonly #offers: { readonly value: Value; readonly taken: () => void }[] = []
  #isStopped = false
  #wake: (() => void) | null = null
  #end: { readonly failure: { readonly error: unknown } | null } | null = null

  give(value: Value): Promise<void> {
    return new Promise((resolve) => {
      this.#offers.push({ value, taken: resolve })
      if (this.#isStopped) resolve()
      else this.#wake?.()
    })
  }

  /** Lets givers go on although nobody takes. */
  stop(): void {
    this.#isStopped = true
    for (const offer of this.#offers) offer.taken()
  }

  end(failure: { readonly error: unknown } | null): void {
    this.#end = { failure }
    this.#wake?.()
  }

  /** `null` at the end. @throws what a worker threw */
  async take(): Promise<Box<Value> | null> {
    for (;;) {
      if (this.#end?.failure) throw this.#end.failure.error
      const offer = this.#offers.shift()
      if (offer) {
        offer.taken()
        return { value: offer.value }
      }
      if (this.#end) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  leftovers(): readonly Value[] {
    return this.#offers.splice(0).map((offer) => offer.value)
  }
}
