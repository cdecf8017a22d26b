import type { Expectation } from '../core/digest.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import { inFlight } from '../core/in-flight.ts'
import type { UpstreamFile } from '../core/model.ts'
import type { Pool } from '../pool/pool.ts'
import { displayUrl } from './display-url.ts'
import type {
  DownloadOutcome,
  FetchResult,
  MetalinkFile,
  UpstreamAccess,
  UpstreamClient,
  Validators,
} from './downloader.ts'
import { copyFromFile } from './file-feed.ts'
import { fetchListed, isListed } from './listed-file.ts'
import { parseAbsoluteLocation, resolveLocation } from './location.ts'
import { type MirrorFailure, type Mirrors, mostTelling } from './mirrors.ts'
import { type RequestContext, requestFollowing } from './redirects.ts'
import { backoffMs, mayRetry } from './retry.ts'
import type { DownloadThread } from './thread/download-thread.ts'
import { type Progress, type TransferContext, transfer } from './transfer.ts'
import { explainNetworkError } from './upstream-errors.ts'
import { validatorsFor } from './validators.ts'

/** What an {@link HttpUpstreamClient} is made of. */
export interface ClientParts {
  readonly access: UpstreamAccess
  readonly mirrors: Mirrors
  readonly metalink: MetalinkFile | null
  readonly requests: RequestContext
  readonly pool: Pool
  readonly reporter: Reporter
  readonly concurrency: number
  readonly random: () => number
  /** Shared by all clients of a downloader: see {@link TransferContext}. */
  readonly broken: Map<string, string>
  /** Aborts when the downloader is closed. */
  readonly closing: AbortSignal
  /** Takes long lists of files; `null` where they stay here. */
  readonly thread: DownloadThread | null
}

/** So many mirrors are asked for what nothing says is there: one or two may lack it alone. */
const mirrorsWithout = 3

/** A try at one URL. @param feed the mirror it belongs to */
type Attempt<Result> = (url: URL, feed: URL, progress: Progress) => Promise<Result>

/** Fetches from a list of mirrors over HTTP, or from mounted folders. */
export class HttpUpstreamClient implements UpstreamClient {
  readonly #parts: ClientParts
  readonly #mirrors: Mirrors
  readonly #transfers: TransferContext
  readonly #closing = new AbortController()
  readonly metalink: MetalinkFile | null

  constructor(parts: ClientParts) {
    this.#parts = parts
    this.#mirrors = parts.mirrors
    this.metalink = parts.metalink
    this.#transfers = {
      pool: parts.pool,
      broken: parts.broken,
      send: (url, headers, signal) => requestFollowing(parts.requests, url, headers, signal),
      explain: explainNetworkError,
    }
  }

  fetch(file: UpstreamFile, since: Validators | null, signal: AbortSignal): Promise<FetchResult> {
    return this.#fetch(file, since, this.#untilClosed(signal))
  }

  fetchAll(
    files: AsyncIterable<UpstreamFile> | Iterable<UpstreamFile>,
    signal: AbortSignal,
  ): AsyncIterable<DownloadOutcome> {
    const { thread, access } = this.#parts
    if (thread && Array.isArray(files) && thread.takes(files)) {
      const source = { access, mirrors: this.#mirrors, metalink: this.metalink }
      return thread.fetchAll(source, files, this.#untilClosed(signal))
    }
    return inFlight(
      files,
      this.#parts.concurrency,
      (file, own) => this.#outcomeOf(file, own),
      async (outcome) => {
        if (outcome.ok) await outcome.blob[Symbol.asyncDispose]()
      },
      this.#untilClosed(signal),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ChantalError('INTERRUPTED', 'the upstream client was closed'))
  }

  #untilClosed(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#parts.closing, this.#closing.signal])
  }

  async #outcomeOf(file: UpstreamFile, signal: AbortSignal): Promise<DownloadOutcome> {
    try {
      const result = await this.#fetch(file, null, signal)
      if (result.status === 'unchanged') throw new Error(`unconditional request, but unchanged: ${file.path}`)
      return { ok: true, file, blob: result.blob, url: result.url }
    } catch (error) {
      signal.throwIfAborted()
      if (!isChantalError(error)) throw error
      const url = error.details['url']
      return { ok: false, file, url: typeof url === 'string' ? url : this.#shownLocation(file), error }
    }
  }

  #fetch(file: UpstreamFile, since: Validators | null, signal: AbortSignal): Promise<FetchResult> {
    const { location, expect, isGuess = false } = file
    if (location instanceof URL) return this.#fetchAbsolute(location, expect, since, signal)
    if (this.metalink && isListed(file, this.metalink)) {
      return fetchListed({
        metalink: this.metalink,
        file,
        mirrors: this.#mirrors,
        tryMirrors: (attempt) => this.#tryMirrors({ location, isGuess }, attempt, signal),
        transfers: this.#transfers,
        signal,
      })
    }
    return this.#tryMirrors(
      { location, isGuess },
      (url, feed, progress) => this.#attempt(url, feed, expect, since, signal, progress),
      signal,
    )
  }

  /** Another host knows nothing of the feed's mirrors: there is one place to try. */
  async #fetchAbsolute(
    location: URL,
    expect: Expectation,
    since: Validators | null,
    signal: AbortSignal,
  ): Promise<FetchResult> {
    const url = parseAbsoluteLocation(location)
    return this.#tryEach(
      { feeds: [url], enoughWithout: 1 },
      () => url,
      (target, feed, progress) => this.#attempt(target, feed, expect, since, signal, progress),
      signal,
    )
  }

  #attempt(
    url: URL,
    feed: URL,
    expect: Expectation,
    validators: Validators | null,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<FetchResult> {
    const since = validatorsFor(url, validators)
    return url.protocol === 'file:'
      ? copyFromFile(this.#parts.pool, { url, feed, expect, since, signal })
      : transfer(this.#transfers, { url, expect, since, signal }, progress)
  }

  #tryMirrors<Result>(
    { location, isGuess }: { readonly location: string; readonly isGuess: boolean },
    attempt: Attempt<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const mirrors = this.#mirrors.inOrder()
    return this.#tryEach(
      { feeds: mirrors, enoughWithout: isGuess ? mirrorsWithout : mirrors.length },
      (feed) => resolveLocation(feed, location),
      attempt,
      signal,
    )
  }

  /**
   * Tries mirrors in turn until one gives a result. One that fails for a while comes again after the others, with backoff, as often
   * as the settings allow; one that broke off midway, or gave wrong bytes, is asked again at once, as it is the one that can go on. No more are
   * asked once `enoughWithout` do not have it.
   */
  async #tryEach<Result>(
    { feeds, enoughWithout }: { readonly feeds: readonly URL[]; readonly enoughWithout: number },
    urlAt: (feed: URL) => URL,
    attempt: Attempt<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const { retries } = this.#parts.access.limits
    const queue: Target[] = feeds.map((feed) => ({ feed, tries: 0, mismatches: 0, error: null }))
    const failures: MirrorFailure[] = []
    let without = 0
    for (let target = queue.shift(); target; target = queue.shift()) {
      const url = urlAt(target.feed)
      if (target.error) await this.#pauseBefore(url, target.tries, target.error, signal)
      const progress: Progress = { resumableBytes: 0 }
      try {
        const result = await attempt(url, target.feed, progress)
        for (const { mirror, error } of failures) {
          if (error.code === 'NOT_FOUND') this.#mirrors.demote(mirror, error)
        }
        return result
      } catch (error) {
        signal.throwIfAborted()
        if (!isMirrorError(error)) throw error
        target.tries += 1
        target.error = error
        if (error.code === 'CHECKSUM_MISMATCH') target.mismatches += 1
        const again =
          target.tries <= retries && url.protocol !== 'file:' && mayRetry(error, target.mismatches)
        if (again && (progress.resumableBytes > 0 || error.code === 'CHECKSUM_MISMATCH')) {
          queue.unshift(target)
          continue
        }
        if (again) queue.push(target)
        else failures.push({ mirror: target.feed, error })
        // What all of them lack is no mirror's fault.
        if (error.code !== 'NOT_FOUND' && error.code !== 'UPSTREAM_STALE')
          this.#mirrors.demote(target.feed, error)
        if (error.code === 'NOT_FOUND') without += 1
        if (without >= enoughWithout) break
      }
    }
    const [first, ...others] = failures
    if (!first) throw new Error('no mirror to ask')
    throw mostTelling([first, ...others])
  }

  async #pauseBefore(url: URL, tries: number, error: ChantalError, signal: AbortSignal): Promise<void> {
    const { requests, random, reporter, access } = this.#parts
    const retryInMs = Math.max(backoffMs(tries, random), requests.admission.remainingMs(url.host))
    reporter.report({
      type: 'download.retried',
      repository: access.repository,
      url: displayUrl(url),
      code: error.code,
      message: error.message,
      retryInMs,
    })
    await requests.wait(retryInMs, signal)
  }

  #shownLocation(file: UpstreamFile): string {
    if (file.location instanceof URL) return displayUrl(file.location)
    const [mirror] = this.#mirrors.inOrder()
    return mirror ? `${displayUrl(mirror)} ${file.location}` : file.location
  }
}

interface Target {
  readonly feed: URL
  tries: number
  mismatches: number
  /** Of the last try. */
  error: ChantalError | null
}

/** Whether another mirror may do better; a full disk or a bug stays what it is. */
function isMirrorError(error: unknown): error is ChantalError {
  return isChantalError(
    error,
    'NOT_FOUND',
    'UPSTREAM_REFUSED',
    'UPSTREAM_UNREACHABLE',
    'UPSTREAM_INVALID',
    'UPSTREAM_STALE',
    'CHECKSUM_MISMATCH',
    'SIZE_LIMIT',
  )
}
