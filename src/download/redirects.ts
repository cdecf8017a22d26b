import { ChantalError } from '../core/errors.ts'
import type { Admission } from './admission.ts'
import type { Throttle } from './bandwidth.ts'
import type { OriginCredentials } from './credentials.ts'
import { displayUrl } from './display-url.ts'
import type { UpstreamAccess } from './downloader.ts'
import type { Connections } from './proxy.ts'
import { type HttpResponse, request } from './request.ts'
import { parseRetryAfter, type Wait } from './retry.ts'
import { explainNetworkError, explainStatus } from './upstream-errors.ts'

const mostRedirects = 10

/** What all requests of one repository share. */
export interface RequestContext {
  readonly access: UpstreamAccess
  readonly credentials: OriginCredentials
  readonly connections: Connections
  /** Within the repository's own bounds too. */
  readonly admission: Admission
  readonly throttle: Throttle | null
  readonly userAgent: string
  readonly wait: Wait
  readonly now: () => number
}

/**
 * GETs `url` and follows redirects by hand. Each step gets the credentials of its own origin and no others.
 * @param headers of this request: validators, a range
 * @returns an answer 200, 206, 304 or, where a range was asked for, 416
 * @throws ChantalError `NOT_FOUND`, `UPSTREAM_REFUSED`, `UPSTREAM_UNREACHABLE`, `UPSTREAM_INVALID`; the signal's reason
 */
export async function requestFollowing(
  context: RequestContext,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { response, target } = await answerTo(context, url, headers, signal)
  const { status } = response
  if (status === 200 || (status === 206 && 'range' in headers)) return response
  response.discard()
  if (status === 304 && ('if-none-match' in headers || 'if-modified-since' in headers)) return response
  if (status === 416 && 'range' in headers) return response
  throw failure(context, response, target)
}

/**
 * The same, but any status that is no redirect is an answer: to learn how upstream answers. Its body is the caller's to read or discard.
 * @throws ChantalError `UPSTREAM_REFUSED`, `UPSTREAM_UNREACHABLE`; the signal's reason
 */
export async function answerTo(
  context: RequestContext,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<{ readonly response: HttpResponse; readonly target: URL }> {
  let target = url
  for (let step = 0; step <= mostRedirects; step++) {
    const response = await requestOnce(context, target, headers, signal)
    const isRedirect = [301, 302, 303, 307, 308].includes(response.status)
    const location = isRedirect ? response.header('location') : null
    if (location === null) return { response, target }
    response.discard()
    target = redirectTarget(target, location)
  }
  throw refused(
    `more than ${mostRedirects} redirects from ${displayUrl(url)}`,
    url,
    'Check the URL of the feed.',
  )
}

async function requestOnce(
  context: RequestContext,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { access } = context
  const release = await context.admission.enter(url.host, signal)
  try {
    return await request({
      dispatcher: await context.connections.for(url, access, context.credentials),
      url,
      headers: {
        accept: '*/*',
        // A coded answer could neither be resumed nor compared with the checksums of metadata.
        'accept-encoding': 'identity',
        'user-agent': context.userAgent,
        ...context.credentials.headersFor(url),
        ...headers,
      },
      timeoutMs: access.limits.timeoutMs,
      stallTimeoutMs: access.limits.stallTimeoutMs,
      throttle: context.throttle,
      wait: context.wait,
      signal,
      onClose: release,
    })
  } catch (error) {
    release()
    signal.throwIfAborted()
    throw explainNetworkError(error, url)
  }
}

function redirectTarget(from: URL, location: string): URL {
  const to = URL.parse(location, from.href)
  if (!to || (to.protocol !== 'http:' && to.protocol !== 'https:')) {
    throw refused(
      `${displayUrl(from)} redirects to what is no web address`,
      from,
      'Check the URL of the feed.',
    )
  }
  // Never sent as such, and not to be mistaken for the feed's own.
  to.username = ''
  to.password = ''
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw refused(
      `${displayUrl(from)} redirects from https to http: ${displayUrl(to)}`,
      from,
      'If that is intended, use the http address as the feed.',
    )
  }
  return to
}

function failure(context: RequestContext, response: HttpResponse, url: URL): ChantalError {
  const retryAfter = response.header('retry-after')
  const pauseMs = retryAfter === null ? null : parseRetryAfter(retryAfter, context.now())
  if (pauseMs !== null && (response.status === 429 || response.status >= 500)) {
    context.admission.pause(url.host, pauseMs)
  }
  return explainStatus(response.status, url)
}

function refused(message: string, url: URL, hint: string): ChantalError {
  return new ChantalError('UPSTREAM_REFUSED', message, { hint, details: { url: displayUrl(url) } })
}
