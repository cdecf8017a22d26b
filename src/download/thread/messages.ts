import type { Expectation } from '../../core/digest.ts'
import { ChantalError, type ErrorOptions, errorTraits } from '../../core/errors.ts'
import type { ProgressEvent } from '../../core/events.ts'
import type { UpstreamFile } from '../../core/model.ts'
import type { HandedOverBlob } from '../../pool/pool.ts'
import type { MetalinkFile, UpstreamAccess } from '../downloader.ts'
import type { MirrorsState } from '../mirrors.ts'

/**
 * What the thread that asks for files and the one that downloads them say to each other: plain data, which any two threads of a
 * process can exchange. A run is one list of files of one repository.
 */
export type MessageToThread =
  | { readonly type: 'run'; readonly run: number; readonly client: ClientMessage }
  /** An answer to `more`. */
  | {
      readonly type: 'files'
      readonly run: number
      readonly files: readonly FileMessage[]
      readonly isLast: boolean
    }
  /** The run's files are no longer wanted; `ended` comes all the same. */
  | { readonly type: 'stop'; readonly run: number }
  /** An answer to `wanted`. */
  | { readonly type: 'lent'; readonly request: number }
  /** An answer to `held`, if there are others who wait: to be returned as soon as it can be. */
  | { readonly type: 'recalled'; readonly request: number }

export type MessageFromThread =
  | { readonly type: 'more'; readonly run: number }
  | { readonly type: 'outcomes'; readonly run: number; readonly outcomes: readonly OutcomeMessage[] }
  /** Nothing comes after it. `error`: what was no file's own failure. */
  | {
      readonly type: 'ended'
      readonly run: number
      readonly mirrors: MirrorsState
      readonly error: ErrorMessage | null
    }
  | { readonly type: 'event'; readonly event: ProgressEvent }
  /** A request to `host` is to begin. */
  | { readonly type: 'wanted'; readonly request: number; readonly host: string }
  /** It is lent for a while now, and used on. */
  | { readonly type: 'held'; readonly request: number }
  | { readonly type: 'returned'; readonly request: number }
  | { readonly type: 'paused'; readonly host: string; readonly ms: number }

/** One end of the way between the two threads. */
export interface Port<In, Out> {
  post(message: Out): void
  onMessage(receive: (message: In) => void): void
}

/** What an upstream client is made of. URLs cannot be sent as such. */
export interface ClientMessage {
  readonly access: Omit<UpstreamAccess, 'feed' | 'proxy'> & {
    readonly feed:
      | { readonly kind: 'urls'; readonly urls: readonly string[] }
      | { readonly kind: 'mirrorlist' | 'metalink'; readonly url: string }
    readonly proxy: Omit<UpstreamAccess['proxy'], 'http' | 'https'> & {
      readonly http: string | null
      readonly https: string | null
    }
  }
  readonly mirrors: MirrorsState
  readonly metalink: MetalinkFile | null
}

export interface FileMessage {
  /** Its place in the run's list. */
  readonly index: number
  readonly path: UpstreamFile['path']
  readonly location: string
  readonly isUrl: boolean
  readonly expect: Expectation
}

export type OutcomeMessage = { readonly index: number; readonly url: string } & (
  | { readonly blob: HandedOverBlob }
  | { readonly error: ErrorMessage }
)

/** An error with what a user or a report of a bug needs of it. */
export interface ErrorMessage {
  /** A {@link ChantalError}'s, the system's, or none. */
  readonly code: string | null
  readonly message: string
  readonly hint: string | null
  readonly details: ChantalError['details'] | null
  readonly stack: string | null
  readonly cause: ErrorMessage | null
}

export function accessMessage({ feed, proxy, ...rest }: UpstreamAccess): ClientMessage['access'] {
  return {
    ...rest,
    feed:
      feed.kind === 'urls'
        ? { kind: feed.kind, urls: feed.urls.map(({ href }) => href) }
        : { kind: feed.kind, url: feed.url.href },
    proxy: { ...proxy, http: proxy.http?.href ?? null, https: proxy.https?.href ?? null },
  }
}

export function accessOf({ feed, proxy, ...rest }: ClientMessage['access']): UpstreamAccess {
  const { http, https } = proxy
  return {
    ...rest,
    feed:
      feed.kind === 'urls'
        ? { kind: feed.kind, urls: urlsOf(feed.urls) }
        : { kind: feed.kind, url: new URL(feed.url) },
    proxy: {
      ...proxy,
      http: http === null ? null : new URL(http),
      https: https === null ? null : new URL(https),
    },
  }
}

function urlsOf(urls: readonly string[]): readonly [URL, ...URL[]] {
  const [first, ...others] = urls.map((url) => new URL(url))
  if (!first) throw new Error('a feed without a URL')
  return [first, ...others]
}

export function fileMessage({ path, location, expect }: UpstreamFile, index: number): FileMessage {
  const isUrl = location instanceof URL
  return { index, path, location: isUrl ? location.href : location, isUrl, expect }
}

/** A file that the other thread asked for, with its number there. */
export class RequestedFile implements UpstreamFile {
  readonly index: number
  readonly path: UpstreamFile['path']
  readonly location: UpstreamFile['location']
  readonly expect: UpstreamFile['expect']

  constructor({ index, path, location, isUrl, expect }: FileMessage) {
    this.index = index
    this.path = path
    this.location = isUrl ? new URL(location) : location
    this.expect = expect
  }
}

export function errorMessage(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) return { ...noMore, message: String(error) }
  const { message, stack = null } = error
  const cause = error.cause === undefined ? null : errorMessage(error.cause)
  if (error instanceof ChantalError)
    return { code: error.code, message, hint: error.hint ?? null, details: error.details, stack, cause }
  const code = 'code' in error ? String(error.code) : null
  return { code, message, hint: null, details: null, stack, cause }
}

const noMore = { code: null, hint: null, details: null, stack: null, cause: null }

export function errorOf({ code, message, hint, details, stack, cause }: ErrorMessage): Error {
  const options: ErrorOptions = {
    ...(hint !== null && { hint }),
    ...(details !== null && { details }),
    ...(cause !== null && { cause: errorOf(cause) }),
  }
  const error =
    details !== null && isErrorCode(code)
      ? new ChantalError(code, message, options)
      : Object.assign(new Error(message, options), code === null ? {} : { code })
  if (stack !== null) error.stack = stack
  return error
}

function isErrorCode(code: string | null): code is keyof typeof errorTraits {
  return code !== null && code in errorTraits
}
