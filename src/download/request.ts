import type { Dispatcher } from 'undici'
import type { ByteSource } from '../core/bytes.ts'
import type { Throttle } from './bandwidth.ts'
import { type AbortTicket, offAbort, onAbort } from './on-abort.ts'
import type { Wait } from './retry.ts'

/** In bytes: a body up to this is collected in memory, a longer one streamed. */
export const wholeLimit = 1024 * 1024

/** How far a stream is read ahead of its consumer. */
const streamAhead = 256 * 1024
/**
 * So many informational answers (1xx) may come before the one that counts. Each of them starts the wait for an answer anew: without a bound a
 * server could go on for ever.
 */
const mostInformational = 20
/** What is read of an unwanted body to keep the connection; a longer one costs the connection. */
const drainLimit = 64 * 1024

export interface RequestOptions {
  readonly dispatcher: Dispatcher
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  /** To the first byte of the answer. */
  readonly timeoutMs: number
  /** Between bytes of the body. */
  readonly stallTimeoutMs: number
  readonly throttle: Throttle | null
  readonly wait: Wait
  readonly signal: AbortSignal
  /** Called once, when the answer needs no connection any more. */
  readonly onClose: () => void
}

/** An answer. Its body is read once: {@link whole}, {@link stream} or {@link discard}. */
export interface HttpResponse {
  readonly status: number
  /** One header; `null` where the answer has none of the name. */
  header(name: string): string | null
  /** The body, where it ended within {@link wholeLimit}; else `null`, and only {@link stream} has it. */
  readonly whole: Uint8Array | null
  /** Fails as the connection does; bytes that came before are given first. Leaving it early closes the connection. */
  stream(): ByteSource
  discard(): void
}

/**
 * One GET, without redirects or retries. The body is given as it was sent: no content coding is undone.
 * Resolves once a short body is whole, or a longer one has begun; for an answer other than 2xx, at its head.
 * @throws the connection's error as it is; the signal's reason
 */
export function request(options: RequestOptions): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const receiver = new ResponseReceiver(options, resolve, reject)
    const { url, headers, timeoutMs, stallTimeoutMs } = options
    options.dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers,
        headersTimeout: timeoutMs,
        bodyTimeout: stallTimeoutMs,
      },
      receiver,
    )
  })
}

/** Takes undici's callbacks and keeps at most {@link wholeLimit} of the body, pausing the connection above. */
class ResponseReceiver implements Dispatcher.DispatchHandler, HttpResponse {
  readonly #options: RequestOptions
  readonly #resolve: (response: HttpResponse) => void
  readonly #reject: (error: unknown) => void
  readonly #ticket: AbortTicket
  #controller: Dispatcher.DispatchController | null = null
  #mode: 'waiting' | 'collecting' | 'streaming' | 'discarding' | 'closed' = 'waiting'
  #headers: Readonly<Record<string, string | string[] | undefined>> = {}
  #chunks: Uint8Array[] = []
  #queuedBytes = 0
  #discardedBytes = 0
  #informational = 0
  #isThrottled = false
  #failure: { readonly error: unknown } | null = null
  #wake: (() => void) | null = null
  status = 0
  whole: Uint8Array | null = null

  constructor(
    options: RequestOptions,
    resolve: (response: HttpResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#ticket = onAbort(options.signal, () => this.#fail(options.signal.reason))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#mode === 'closed') controller.abort(new Error('no longer wanted'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (this.#mode !== 'waiting') return
    if (status < 200) {
      this.#informational += 1
      if (this.#informational > mostInformational)
        this.#fail(new Error('of many answers none but informational ones'))
      return
    }
    this.status = status
    this.#headers = headers
    if (status >= 300) {
      this.#mode = 'discarding'
      this.#resolve(this)
    } else if (Number(this.header('content-length')) > wholeLimit) {
      this.#mode = 'streaming'
      this.#resolve(this)
    } else {
      this.#mode = 'collecting'
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#mode === 'closed') return
    this.#throttleBy(chunk.byteLength)
    if (this.#mode === 'discarding') {
      this.#discardedBytes += chunk.byteLength
      if (this.#discardedBytes > drainLimit) this.#close(true)
      return
    }
    this.#chunks.push(chunk)
    this.#queuedBytes += chunk.byteLength
    if (this.#mode === 'collecting' && this.#queuedBytes > wholeLimit) {
      this.#mode = 'streaming'
      this.#resolve(this)
    }
    if (this.#isFull()) this.#controller?.pause()
    this.#wake?.()
  }

  onResponseEnd(): void {
    if (this.#mode === 'collecting') {
      const [only] = this.#chunks
      this.whole = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks)
      this.#chunks = []
      this.#close(false)
      this.#resolve(this)
    } else {
      this.#close(false)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(error)
  }

  header(name: string): string | null {
    const value = this.#headers[name]
    return (typeof value === 'string' ? value : value?.[0]) ?? null
  }

  async *stream(): ByteSource {
    try {
      if (this.whole) yield this.whole
      for (;;) {
        const chunk = this.#chunks.shift()
        if (chunk) {
          this.#queuedBytes -= chunk.byteLength
          this.#resumeIfReady()
          yield chunk
        } else if (this.#failure) {
          throw this.#failure.error
        } else if (this.#mode === 'closed') {
          return
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
          this.#wake = null
        }
      }
    } finally {
      this.#close(true)
    }
  }

  discard(): void {
    this.#chunks = []
    this.#queuedBytes = 0
    if (this.#mode === 'closed') return
    if (this.#mode === 'streaming') this.#close(true)
    else this.#mode = 'discarding'
  }

  #fail(error: unknown): void {
    if (this.#mode === 'closed') return
    const hasResponse = this.#mode === 'streaming' || this.#mode === 'discarding'
    this.#failure = { error }
    this.#close(true)
    if (!hasResponse) this.#reject(error)
  }

  /** @param abort whether the answer may still be under way */
  #close(abort: boolean): void {
    if (this.#mode === 'closed') return
    this.#mode = 'closed'
    offAbort(this.#options.signal, this.#ticket)
    if (abort) this.#controller?.abort(new Error('no longer wanted'))
    this.#wake?.()
    this.#options.onClose()
  }

  #isFull(): boolean {
    return this.#mode === 'streaming' && this.#queuedBytes > streamAhead
  }

  #throttleBy(bytes: number): void {
    const ms = this.#options.throttle?.take(bytes) ?? 0
    if (ms <= 0) return
    this.#isThrottled = true
    this.#controller?.pause()
    const resume = () => {
      this.#isThrottled = false
      this.#resumeIfReady()
    }
    this.#options.wait(ms, this.#options.signal).then(resume, resume)
  }

  #resumeIfReady(): void {
    if (!this.#isThrottled && !this.#isFull() && this.#mode !== 'closed') this.#controller?.resume()
  }
}
