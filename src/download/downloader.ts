import type { Checksum } from '../core/digest.ts'
import type { ChantalError } from '../core/errors.ts'
import type { UpstreamFile } from '../core/model.ts'
import type { ReceivedBlob } from '../pool/pool.ts'

/** Where a repository comes from. */
export type Feed =
  /** Equal mirrors, tried in order. Each ends in `/`; a query, such as a token, goes along with every request. `http:`, `https:`, `file:`. */
  | { readonly kind: 'urls'; readonly urls: readonly [URL, ...URL[]] }
  | { readonly kind: 'mirrorlist'; readonly url: URL }
  | { readonly kind: 'metalink'; readonly url: URL }

/** Upstream access, settled once per repository from its configuration. */
export interface UpstreamAccess {
  /** For events and messages. */
  readonly repository: string
  readonly feed: Feed
  readonly credentials: Credentials
  readonly proxy: ProxySettings
  readonly tls: TlsSettings
  readonly limits: DownloadLimits
}

/**
 * Never logged, and sent to the feed's own origins only (scheme, host and port of `urls`, or of the mirrorlist or metalink),
 * redirects included.
 */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }

export interface ProxySettings {
  /** Proxy for `http:` and `https:` targets; `null` goes direct. */
  readonly http: URL | null
  readonly https: URL | null
  /** Hosts reached directly: names, `.suffix`, `*`, with an optional `:port`; IPv4 CIDR. */
  readonly noProxy: readonly string[]
  /** Sent as `Proxy-Authorization`, to the proxy alone. */
  readonly username: string | null
  readonly password: string | null
}

export interface TlsSettings {
  /** For every host that a download leads to. */
  readonly verify: boolean
  /** PEM bundle that replaces the built-in authorities, for every host; `null` keeps them. */
  readonly ca: string | null
  /** PEM; both or neither. Shown where {@link Credentials} are sent, and nowhere else. */
  readonly certificate: string | null
  readonly key: string | null
}

export interface DownloadLimits {
  /** Requests in flight to one host, for this repository. The downloader's own bounds hold over all repositories. */
  readonly perHost: number
  /** Further tries after the first, of what can be tried again. */
  readonly retries: number
  /** To connect, and to the first byte of an answer. */
  readonly timeoutMs: number
  /** Without a byte while a body arrives. */
  readonly stallTimeoutMs: number
  /** Bytes per second for this repository; `null` is unlimited. */
  readonly bandwidth: number | null
}

/** What makes a request conditional: an answer's own `ETag` and `Last-Modified`. They are sent to the URL that gave them and to no other. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
  /** SHA-256 of that URL. */
  readonly origin: string
}

export type FetchResult =
  | {
      readonly status: 'fetched'
      readonly blob: ReceivedBlob
      readonly validators: Validators
      readonly url: string
    }
  /** 304, or for `file:` the same size and time. */
  | { readonly status: 'unchanged' }

/** One file's result. A failure is a value here: one bad file does not end the batch. */
export type DownloadOutcome =
  | { readonly ok: true; readonly file: UpstreamFile; readonly blob: ReceivedBlob; readonly url: string }
  /** `error.code` is `NOT_FOUND` where every mirror answers 404 or 410. */
  | { readonly ok: false; readonly file: UpstreamFile; readonly url: string; readonly error: ChantalError }

/** What a metalink says of the root document it lists. */
export interface MetalinkFile {
  readonly name: string
  readonly size: number | null
  readonly checksums: readonly Checksum[]
  readonly timestamp: number | null
  /** Earlier states that mirrors may still serve, newest first. */
  readonly alternates: readonly {
    readonly size: number | null
    readonly checksums: readonly Checksum[]
    readonly timestamp: number | null
  }[]
}

/** Fetches upstream files and has the pool receive them. Knows HTTP; knows neither ecosystems nor the catalog. */
export interface Downloader extends AsyncDisposable {
  /**
   * Opens a repository's upstream: reads its mirrorlist or metalink, if it has one.
   * @throws ChantalError `UPSTREAM_UNREACHABLE`, `UPSTREAM_REFUSED`, `UPSTREAM_INVALID`
   */
  open(access: UpstreamAccess, signal: AbortSignal): Promise<UpstreamClient>

  /**
   * Asks a repository's first mirror for its root, once: to learn whether it answers, and what time it has. The root need not be there;
   * many servers list no folders.
   * @throws ChantalError as `open`, and where the answer is that nothing will be given (401, 407), or not now (408, 425, 429, 5xx)
   */
  probe(access: UpstreamAccess, signal: AbortSignal): Promise<UpstreamProbe>
}

/** How an upstream answers. */
export interface UpstreamProbe {
  /** As it may be shown. */
  readonly url: string
  readonly host: string
  /** `null` for a folder of this machine. */
  readonly status: number | null
  /** Its clock, by the answer's `Date`; `null` where it does not say. */
  readonly date: Date | null
}

/**
 * One repository's upstream. A mirror that fails is named in a `MIRROR_FAILED` warning and goes to the end of the list;
 * the file is tried at the next.
 */
export interface UpstreamClient extends AsyncDisposable {
  /** From the metalink; `null` without one. */
  readonly metalink: MetalinkFile | null

  /**
   * Fetches one file. Retries what {@link ErrorTraits.retry} allows, with backoff and `Retry-After`, each mirror in turn.
   * Where the metalink lists the file, the bytes must be those it states: a mirror that serves others is stale and the next is asked.
   * @param since makes the request conditional at the URL that they are of; any other is asked for the file as it is
   * @throws ChantalError `NOT_FOUND` (404, 410), `UPSTREAM_REFUSED` (401, 403, other 4xx), `UPSTREAM_UNREACHABLE`, `UPSTREAM_STALE`,
   *   `CHECKSUM_MISMATCH`, `SIZE_LIMIT`: the last attempt's error
   */
  fetch(file: UpstreamFile, since: Validators | null, signal: AbortSignal): Promise<FetchResult>

  /** Yields in order of completion. Reads `files` no faster than it downloads. Never throws for a file; for an abort it does. */
  fetchAll(
    files: AsyncIterable<UpstreamFile> | Iterable<UpstreamFile>,
    signal: AbortSignal,
  ): AsyncIterable<DownloadOutcome>
}
