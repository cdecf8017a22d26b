import type { ByteSource } from '../core/bytes.ts'
import type { Expectation } from '../core/digest.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { PartialFile, Pool, ReceivedBlob } from '../pool/pool.ts'
import { displayUrl } from './display-url.ts'
import type { FetchResult, Validators } from './downloader.ts'
import { type HttpResponse, wholeLimit } from './request.ts'
import { validatorsOf } from './validators.ts'

export interface TransferRequest {
  readonly url: URL
  readonly expect: Expectation
  readonly since: Validators | null
  readonly signal: AbortSignal
}

/** What a transfer needs of its surroundings. */
export interface TransferContext {
  readonly pool: Pool
  /** Validators of transfers that broke, by URL and wanted bytes: what makes resuming conditional. */
  readonly broken: Map<string, string>
  send(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpResponse>
  explain(error: unknown, url: URL): ChantalError
}

/** Counts what arrived, so that a broken transfer is gone on with where it began. */
export interface Progress {
  resumableBytes: number
}

/**
 * Fetches one file over HTTP into the pool. A body up to 1 MiB is received in one go; a longer one whose checksum is strong goes into
 * a partial file, and so resumes after a break or a restart.
 * @throws ChantalError as `requestFollowing`, and `CHECKSUM_MISMATCH`, `SIZE_LIMIT`, `DISK_FULL`, `NOT_WRITABLE`
 */
export async function transfer(
  context: TransferContext,
  request: TransferRequest,
  progress: Progress,
): Promise<FetchResult> {
  const { url, expect, since, signal } = request
  const key = partialKey(expect)
  if (key !== null && (expect.size ?? 0) > wholeLimit) {
    await using partial = await context.pool.openPartial(key)
    if (partial) return await new ResumableTransfer(context, request, partial, progress).run()
  }
  const response = await context.send(url, conditions(since), signal)
  if (response.status === 304) return { status: 'unchanged' }
  refuseLength(response, request)
  if (response.whole) {
    return fetched(receiveWhole(context.pool, response.whole, response, request), response, url)
  }
  if (key !== null && expect.size === undefined) {
    await using partial = await context.pool.openPartial(key)
    if (partial) return await new ResumableTransfer(context, request, partial, progress).run(response)
  }
  const blob = await describeFailures(response, request, context, (source) =>
    context.pool.receive(source, expect, signal),
  )
  return fetched(blob, response, url)
}

/** A transfer into a partial file. */
class ResumableTransfer {
  readonly #context: TransferContext
  readonly #request: TransferRequest
  readonly #partial: PartialFile
  readonly #progress: Progress

  constructor(context: TransferContext, request: TransferRequest, partial: PartialFile, progress: Progress) {
    this.#context = context
    this.#request = request
    this.#partial = partial
    this.#progress = progress
  }

  /** @param begun an answer to a request for the whole file, used where there is nothing to resume */
  async run(begun: HttpResponse | null = null): Promise<FetchResult> {
    const { expect, url } = this.#request
    const from = this.#partial.size
    if (from === 0 || (expect.size !== undefined && from > expect.size)) return this.#startOver(begun)
    begun?.discard()
    if (from === expect.size) {
      const blob = await this.#finishWith(from)
      return blob ? fetchedUnvalidated(blob, url) : this.#startOver()
    }
    const response = await this.#sendRange(from)
    if (response.status === 304) return { status: 'unchanged' }
    if (response.status === 200) return this.#startOver(response)
    if (response.status === 206 && continuesAt(response, from, expect)) {
      return (await this.#resume(response, from)) ?? (await this.#startOver())
    }
    response.discard()
    // Everything may be here already: the process ended between the last byte and the check.
    const blob = contentRange(response)?.total === from ? await this.#finishWith(from) : null
    return blob ? fetchedUnvalidated(blob, url) : this.#startOver()
  }

  #sendRange(from: number): Promise<HttpResponse> {
    const { url, since, signal } = this.#request
    // Without a validator, after a restart, the checksum alone tells whether both parts are of one file.
    const validator = this.#context.broken.get(this.#brokenKey())
    const range = { range: `bytes=${from}-`, ...(validator ? { 'if-range': validator } : {}) }
    return this.#context.send(url, { ...conditions(since), ...range }, signal)
  }

  async #startOver(begun: HttpResponse | null = null): Promise<FetchResult> {
    const { url, since, signal } = this.#request
    const response = begun ?? (await this.#context.send(url, conditions(since), signal))
    if (response.status === 304) return { status: 'unchanged' }
    refuseLength(response, this.#request)
    return fetched(await this.#receive(response, 0), response, url)
  }

  /** `null` where the two parts are not of one file; nothing is left of them then. */
  async #resume(response: HttpResponse, from: number): Promise<FetchResult | null> {
    try {
      return fetched(await this.#receive(response, from), response, this.#request.url)
    } catch (error) {
      if (isChantalError(error, 'CHECKSUM_MISMATCH')) return null
      throw error
    }
  }

  async #receive(response: HttpResponse, from: number): Promise<ReceivedBlob> {
    const { expect, signal } = this.#request
    const brokenKey = this.#brokenKey()
    try {
      const blob = await describeFailures(response, this.#request, this.#context, (source) =>
        this.#partial.receive(source, from, expect, signal),
      )
      this.#context.broken.delete(brokenKey)
      return blob
    } catch (error) {
      const validator = strongValidator(response)
      if (this.#partial.size > 0 && validator) this.#context.broken.set(brokenKey, validator)
      else this.#context.broken.delete(brokenKey)
      this.#progress.resumableBytes = Math.max(0, this.#partial.size - from)
      throw error
    }
  }

  async #finishWith(from: number): Promise<ReceivedBlob | null> {
    try {
      return await this.#partial.receive(nothing(), from, this.#request.expect, this.#request.signal)
    } catch (error) {
      if (isChantalError(error, 'CHECKSUM_MISMATCH')) return null
      throw error
    }
  }

  #brokenKey(): string {
    return `${partialKey(this.#request.expect)} ${this.#request.url.href}`
  }
}

/** Names the wanted bytes alone, so that any mirror, and the next run, can go on. `null` without a strong checksum. */
function partialKey(expect: Expectation): string | null {
  const strong = expect.checksums.find(({ algorithm }) => algorithm !== 'md5' && algorithm !== 'sha1')
  return strong ? `download ${strong.algorithm} ${strong.hex}` : null
}

function conditions(since: Validators | null): Record<string, string> {
  return {
    ...(since?.etag ? { 'if-none-match': since.etag } : {}),
    ...(since?.lastModified ? { 'if-modified-since': since.lastModified } : {}),
  }
}

/** What `If-Range` accepts: an ETag that is not weak, else a date. @see RFC 9110, section 13.1.5 */
function strongValidator(response: HttpResponse): string | null {
  const etag = response.header('etag')
  return etag?.startsWith('"') ? etag : response.header('last-modified')
}

/** `bytes 5-9/10`, or `bytes *\/10`; an unknown total is `null`. */
function contentRange(response: HttpResponse) {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(?:(\d+)|\*)$/.exec(
    response.header('content-range')?.trim() ?? '',
  )
  if (!match) return null
  const [, start, end, total] = match
  return {
    start: start === undefined ? null : Number(start),
    end: end === undefined ? null : Number(end),
    total: total === undefined ? null : Number(total),
  }
}

function continuesAt(response: HttpResponse, from: number, expect: Expectation): boolean {
  const range = contentRange(response)
  if (range?.start !== from || range.end === null) return false
  const total = range.total ?? expect.size ?? range.end + 1
  return range.end === total - 1 && (expect.size === undefined || total === expect.size)
}

/** Refuses before the first byte what its length shows to be wrong. */
function refuseLength(response: HttpResponse, request: TransferRequest): void {
  const length = response.header('content-length')
  if (length === null || !/^\d+$/.test(length)) return
  const { size, maxSize } = request.expect
  const bytes = Number(length)
  if (bytes <= maxSize && (size === undefined || size === bytes)) return
  response.discard()
  const error =
    size !== undefined && size !== bytes
      ? new ChantalError('CHECKSUM_MISMATCH', `expected ${size} bytes, got ${bytes}`, {
          details: { expected_bytes: size, actual_bytes: bytes },
        })
      : new ChantalError('SIZE_LIMIT', `${bytes} bytes, more than ${maxSize}`, {
          details: { limit_bytes: maxSize, actual_bytes: bytes },
        })
  throw describe(error, response, request.url)
}

function receiveWhole(
  pool: Pool,
  bytes: Uint8Array,
  response: HttpResponse,
  { expect, url }: TransferRequest,
): ReceivedBlob {
  try {
    return pool.receiveWhole(bytes, expect)
  } catch (error) {
    throw describe(error, response, url)
  }
}

/** Tells errors of the connection from the pool's, which pass as they are but for what is known of their origin. */
async function describeFailures(
  response: HttpResponse,
  { url, signal }: TransferRequest,
  context: TransferContext,
  receive: (source: ByteSource) => Promise<ReceivedBlob>,
): Promise<ReceivedBlob> {
  let broken: { readonly error: unknown } | null = null
  async function* source(): ByteSource {
    try {
      yield* response.stream()
    } catch (error) {
      broken = { error }
      throw error
    }
  }
  try {
    return await receive(source())
  } catch (error) {
    signal.throwIfAborted()
    throw broken ? context.explain(error, url) : describe(error, response, url)
  } finally {
    response.discard()
  }
}

/** Says where wrong bytes came from, and what they look like. */
export function describe(error: unknown, response: Pick<HttpResponse, 'header'>, url: URL): unknown {
  if (!isChantalError(error, 'CHECKSUM_MISMATCH', 'SIZE_LIMIT')) return error
  const shown = displayUrl(url)
  const isPage = /^(text\/html|application\/xhtml)/i.test(response.header('content-type') ?? '')
  const page = isPage ? '; the answer is an HTML page, perhaps a login or error page' : ''
  return new ChantalError(error.code, `${error.message} (from ${shown}${page})`, {
    cause: error,
    details: { ...error.details, url: shown },
    hint:
      error.code === 'SIZE_LIMIT'
        ? 'Raise the limit under `limits` if upstream is right.'
        : 'The mirror may be mid-update. Try again later, or list another URL under `feeds`.',
  })
}

function fetched(blob: ReceivedBlob, response: HttpResponse, url: URL): FetchResult {
  return { status: 'fetched', blob, validators: validatorsOf(url, response), url: displayUrl(url) }
}

function fetchedUnvalidated(blob: ReceivedBlob, url: URL): FetchResult {
  return { status: 'fetched', blob, validators: validatorsOf(url, null), url: displayUrl(url) }
}

async function* nothing(): ByteSource {}
