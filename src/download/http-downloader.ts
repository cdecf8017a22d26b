import { readWhole } from '../core/bytes.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import type { Pool } from '../pool/pool.ts'
import { SharedAdmission } from './admission.ts'
import { combineThrottles, type Throttle, TokenBucket } from './bandwidth.ts'
import { OriginCredentials } from './credentials.ts'
import { displayUrl } from './display-url.ts'
import type { Downloader, MetalinkFile, UpstreamAccess, UpstreamClient, UpstreamProbe } from './downloader.ts'
import { parseBase } from './location.ts'
import { parseMetalink } from './metalink.ts'
import { parseMirrorlist } from './mirrorlist.ts'
import { Mirrors } from './mirrors.ts'
import { probe } from './probe.ts'
import { Connections } from './proxy.ts'
import { type RequestContext, requestFollowing } from './redirects.ts'
import { backoffMs, mayRetry, type Wait, waitByTimer } from './retry.ts'
import { DownloadThread, type ThreadOptions } from './thread/download-thread.ts'
import { HttpUpstreamClient } from './upstream-client.ts'
import { explainNetworkError } from './upstream-errors.ts'

export interface DownloaderOptions {
  readonly pool: Pool
  /** Requests in flight, over all repositories. */
  readonly concurrency: number
  /** Requests in flight to one host, over all repositories. */
  readonly perHost: number
  /** Bytes per second, over all repositories; `null` is unlimited. */
  readonly bandwidth: number | null
  readonly reporter: Reporter
  readonly userAgent: string
  /** Bytes that a mirrorlist or metalink may have. */
  readonly maxListSize: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** From 0 up to, not including, 1: the jitter of backoff. */
  readonly random?: () => number
  /** How backoff, `Retry-After` and bandwidth limits wait. */
  readonly wait?: Wait
  /** Where long lists of files are downloaded. Default: in this thread, as all the rest. */
  readonly thread?: ThreadOptions
}

/** Makes the downloader for `http:`, `https:` and `file:` feeds. Disposing of it ends what is under way and closes its connections. */
export function createDownloader(options: DownloaderOptions): Downloader {
  return new HttpDownloader(options)
}

class HttpDownloader implements Downloader {
  readonly #options: DownloaderOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #wait: Wait
  readonly #connections = new Connections()
  readonly #admission: SharedAdmission
  readonly #bandwidth: Throttle | null
  readonly #broken = new Map<string, string>()
  readonly #thread: DownloadThread | null
  readonly #closing = new AbortController()

  constructor(options: DownloaderOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#random = options.random ?? Math.random
    this.#wait = options.wait ?? waitByTimer
    this.#admission = new SharedAdmission({ ...options, now: this.#now, wait: this.#wait })
    this.#bandwidth = this.#bucket(options.bandwidth)
    this.#thread = options.thread
      ? new DownloadThread(options.thread, { ...options, admission: this.#admission })
      : null
  }

  async open(access: UpstreamAccess, signal: AbortSignal): Promise<UpstreamClient> {
    this.#closing.signal.throwIfAborted()
    const requests = this.#requestContext(access)
    const { mirrors, metalink } = await this.#resolveFeed(access, requests, signal)
    const { pool, reporter, concurrency } = this.#options
    return new HttpUpstreamClient({
      access,
      mirrors: new Mirrors(mirrors, access.repository, reporter),
      metalink,
      requests,
      pool,
      reporter,
      concurrency,
      random: this.#random,
      broken: this.#broken,
      closing: this.#closing.signal,
      // A limited bandwidth has one bucket, in this thread; and it is no download that a second one makes faster.
      thread: requests.throttle ? null : this.#thread,
    })
  }

  async probe(access: UpstreamAccess, signal: AbortSignal): Promise<UpstreamProbe> {
    const once = { ...access, limits: { ...access.limits, retries: 0 } }
    const requests = this.#requestContext(once)
    const untilClosed = AbortSignal.any([signal, this.#closing.signal])
    const { mirrors } = await this.#resolveFeed(once, requests, untilClosed)
    return probe(requests, mirrors[0], untilClosed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ChantalError('INTERRUPTED', 'the downloader was closed'))
    await this.#thread?.[Symbol.asyncDispose]()
    await this.#connections[Symbol.asyncDispose]()
  }

  #requestContext(access: UpstreamAccess): RequestContext {
    return {
      access,
      credentials: new OriginCredentials(access),
      connections: this.#connections,
      admission: this.#admission.within(access.limits.perHost),
      throttle: combineThrottles([this.#bandwidth, this.#bucket(access.limits.bandwidth)]),
      userAgent: this.#options.userAgent,
      wait: this.#wait,
      now: this.#now,
    }
  }

  async #resolveFeed(
    access: UpstreamAccess,
    requests: RequestContext,
    signal: AbortSignal,
  ): Promise<{ readonly mirrors: readonly [URL, ...URL[]]; readonly metalink: MetalinkFile | null }> {
    const { feed } = access
    if (feed.kind === 'urls') {
      const [first, ...others] = feed.urls
      return { mirrors: [parseBase(first), ...others.map(parseBase)], metalink: null }
    }
    const text = await this.#readList(feed.url, access, requests, signal)
    try {
      if (feed.kind === 'mirrorlist') return { mirrors: parseMirrorlist(text), metalink: null }
      const { mirrors, file } = parseMetalink(text)
      return { mirrors, metalink: file }
    } catch (error) {
      throw isChantalError(error, 'UPSTREAM_INVALID') ? fromList(error, feed.url) : error
    }
  }

  async #readList(
    url: URL,
    access: UpstreamAccess,
    requests: RequestContext,
    signal: AbortSignal,
  ): Promise<string> {
    for (let tries = 1; ; tries++) {
      try {
        return await readText(url, requests, this.#options.maxListSize, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isChantalError(error)) throw error
        if (tries > access.limits.retries || !mayRetry(error, 0)) throw asOpenError(error)
        const retryInMs = Math.max(backoffMs(tries, this.#random), this.#admission.remainingMs(url.host))
        this.#options.reporter.report({
          type: 'download.retried',
          repository: access.repository,
          url: displayUrl(url),
          code: error.code,
          message: error.message,
          retryInMs,
        })
        await this.#wait(retryInMs, signal)
      }
    }
  }

  #bucket(bytesPerSecond: number | null): TokenBucket | null {
    return bytesPerSecond === null ? null : new TokenBucket(bytesPerSecond, this.#now)
  }
}

async function readText(
  url: URL,
  requests: RequestContext,
  maxSize: number,
  signal: AbortSignal,
): Promise<string> {
  const response = await requestFollowing(requests, url, {}, signal)
  if (response.whole) {
    refuseLong(response.whole.byteLength, url, maxSize)
    return Buffer.from(response.whole).toString('utf8')
  }
  try {
    return Buffer.from(await readWhole(bounded(response.stream(), url, maxSize))).toString('utf8')
  } catch (error) {
    signal.throwIfAborted()
    throw isChantalError(error) ? error : explainNetworkError(error, url)
  }
}

async function* bounded(
  source: AsyncIterable<Uint8Array>,
  url: URL,
  maxSize: number,
): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of source) {
    size += chunk.byteLength
    refuseLong(size, url, maxSize)
    yield chunk
  }
}

function refuseLong(size: number, url: URL, maxSize: number): void {
  if (size <= maxSize) return
  throw new ChantalError('UPSTREAM_INVALID', `${displayUrl(url)} is too long for a list of mirrors`, {
    hint: 'Check the URL; `limits.root_document` is what a list may have.',
    details: { url: displayUrl(url), limit_bytes: maxSize },
  })
}

/** A list that is not there is a wrong address in the configuration, not a file that upstream lacks. */
function asOpenError(error: ChantalError): ChantalError {
  if (error.code !== 'NOT_FOUND') return error
  return new ChantalError('UPSTREAM_REFUSED', error.message, {
    cause: error,
    details: error.details,
    hint: 'Check the URL under `mirrorlist` or `metalink`.',
  })
}

function fromList(error: ChantalError, url: URL): ChantalError {
  return new ChantalError(error.code, `${displayUrl(url)}: ${error.message}`, {
    cause: error,
    details: { ...error.details, url: displayUrl(url) },
    hint:
      error.hint ??
      'Check that the URL answers with a metalink, and that it fits the release and architecture.',
  })
}
