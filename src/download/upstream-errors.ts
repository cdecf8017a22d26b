import { ChantalError } from '../core/errors.ts'
import { displayUrl } from './display-url.ts'

/** Answers that may be better a little later, besides 5xx. */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 429])

/**
 * The error that a status other than success is.
 * `NOT_FOUND`: 404, 410. `UPSTREAM_UNREACHABLE`: 408, 425, 429, 5xx. `UPSTREAM_REFUSED`: every other 4xx. `UPSTREAM_INVALID`: the rest.
 */
export function explainStatus(status: number, url: URL): ChantalError {
  const shown = displayUrl(url)
  const details = { url: shown, status }
  if (status === 404 || status === 410) {
    return new ChantalError('NOT_FOUND', `not found: ${shown} answers ${status}`, { details })
  }
  if (transientStatuses.has(status) || status >= 500) {
    return new ChantalError('UPSTREAM_UNREACHABLE', `${shown} answers ${status}`, {
      details,
      hint:
        status === 429
          ? 'Upstream limits requests: lower `download.per_host`.'
          : 'Try again later, or list another mirror under `feeds`.',
    })
  }
  if (status >= 400) {
    return new ChantalError('UPSTREAM_REFUSED', `${shown} answers ${status}`, {
      details,
      hint: refusalHint(status, url),
    })
  }
  return new ChantalError('UPSTREAM_INVALID', `${shown} gives an unexpected answer: ${status}`, { details })
}

function refusalHint(status: number, url: URL): string {
  if (status === 401) return 'Check the credentials under `auth`.'
  if (status === 403)
    return 'Check the credentials under `auth`, or the entitlement or token that the feed needs.'
  if (status === 407) return 'Check the user and password under `proxy`.'
  // How nginx answers who brings no client certificate, or one it does not trust.
  if (url.protocol === 'https:' && [400, 495, 496].includes(status)) {
    return 'Check the URL of the feed, and whether it wants a client certificate: `ssl.client_cert`.'
  }
  return 'Check the URL of the feed.'
}

/** The error that a failed connection is. What it says of itself is kept; no URL with secrets is in it. */
export function explainNetworkError(error: unknown, url: URL): ChantalError {
  const shown = displayUrl(url)
  const { code, message } = innermost(error)
  const details = { url: shown, system_code: code }
  const proxyStatus = /Proxy response \((\d{3})\)|Proxy Authentication Required \((407)\)/.exec(message)
  if (proxyStatus) return explainProxyStatus(Number(proxyStatus[1] ?? proxyStatus[2]), url, error)
  if (isTlsCode(code)) {
    return new ChantalError('UPSTREAM_REFUSED', `no trusted connection to ${shown}: ${message} (${code})`, {
      cause: error,
      details,
      hint: tlsHint(code),
    })
  }
  return new ChantalError('UPSTREAM_UNREACHABLE', `cannot fetch ${shown}: ${networkReason(code, message)}`, {
    cause: error,
    details,
    hint: networkHint(code),
  })
}

function explainProxyStatus(status: number, url: URL, cause: unknown): ChantalError {
  const shown = displayUrl(url)
  const code = status >= 500 ? 'UPSTREAM_UNREACHABLE' : 'UPSTREAM_REFUSED'
  return new ChantalError(code, `the proxy answers ${status} for ${shown}`, {
    cause,
    details: { url: shown, status },
    hint:
      status === 407
        ? 'Check the user and password under `proxy`.'
        : 'Ask who runs the proxy, or list the host under `proxy.no_proxy`.',
  })
}

/** The error at the bottom of undici's wrapping, and of attempts at several addresses. */
function innermost(error: unknown): { readonly code: string; readonly message: string } {
  let current = error
  for (let depth = 0; depth < 5; depth++) {
    if (current instanceof AggregateError && current.errors.length > 0) current = current.errors[0]
    else if (current instanceof Error && !('code' in current) && current.cause instanceof Error)
      current = current.cause
    else break
  }
  if (!(current instanceof Error)) return { code: '', message: String(current) }
  return { code: 'code' in current ? String(current.code) : '', message: current.message }
}

function isTlsCode(code: string): boolean {
  return (
    /^(CERT_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|CRL_|SELF_SIGNED|DEPTH_ZERO_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_)/.test(
      code,
    ) || code === 'EPROTO'
  )
}

function tlsHint(code: string): string {
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|ALERT_(BAD_CERT|UNKNOWN_CA|CERTIFICATE)/.test(code)) {
    return 'Upstream wants a client certificate that it trusts: check `ssl.client_cert` and `ssl.client_key`. Hosts that are not in the URL of the feed are shown none: a mirror that wants it stands under `feeds`.'
  }
  if (code === 'CERT_HAS_EXPIRED') return 'The certificate of upstream has expired: tell who runs it.'
  return 'Name the authority that signed its certificate under `ssl.ca_bundle`.'
}

function networkReason(code: string, message: string): string {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name of the host is not known (${code})`
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return `the connection broke (${message})`
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'no connection in time'
    case 'UND_ERR_HEADERS_TIMEOUT':
      return 'no answer in time'
    case 'UND_ERR_BODY_TIMEOUT':
      return 'the body stalled'
    default:
      return code === '' ? message : `${message} (${code})`
  }
}

function networkHint(code: string): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'Check the host in the URL, the name server and the proxy.'
  return 'Check the network and the proxy, or list another mirror under `feeds`.'
}
