import type { Credentials, TlsSettings, UpstreamAccess } from './downloader.ts'

/**
 * Knows which origins a repository's credentials belong to, and gives headers and client certificate for those alone. Mirrors of a list, targets
 * of redirects and absolute locations are what upstream names, and not the user.
 */
export class OriginCredentials {
  /** Its keys are the feed's own origins. */
  readonly #headersByOrigin = new Map<string, Readonly<Record<string, string>>>()
  readonly #tls: TlsSettings
  readonly #tlsElsewhere: TlsSettings

  constructor(access: UpstreamAccess) {
    const shared = headersOf(access.credentials)
    for (const url of feedUrls(access)) {
      const own = access.credentials.kind === 'none' ? headersOf(userOf(url)) : shared
      this.#headersByOrigin.set(url.origin, { ...this.#headersByOrigin.get(url.origin), ...own })
    }
    this.#tls = access.tls
    this.#tlsElsewhere = { ...access.tls, certificate: null, key: null }
  }

  /** Header names are lower-case. Empty for an origin that is not the feed's: scheme, host and port must all be equal. */
  headersFor(url: URL): Readonly<Record<string, string>> {
    return this.#headersByOrigin.get(url.origin) ?? {}
  }

  /**
   * As the repository has it for the feed's own origins; for any other without certificate and key. Whom to trust is the same for all hosts:
   * where a feed is believed unverified, whoever stands in between may name any host as its mirror, one that is verified as well.
   */
  tlsFor(url: URL): TlsSettings {
    return this.#headersByOrigin.has(url.origin) ? this.#tls : this.#tlsElsewhere
  }
}

function feedUrls(access: UpstreamAccess): readonly URL[] {
  return access.feed.kind === 'urls' ? access.feed.urls : [access.feed.url]
}

/** A URL that carries user and password says so for itself; they never go out as part of the URL. */
function userOf(url: URL): Credentials {
  if (url.username === '' && url.password === '') return { kind: 'none' }
  return {
    kind: 'basic',
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  }
}

function headersOf(credentials: Credentials): Readonly<Record<string, string>> {
  switch (credentials.kind) {
    case 'none':
      return {}
    case 'basic':
      return { authorization: basicAuthorization(credentials.username, credentials.password) }
    case 'bearer':
      return { authorization: `Bearer ${credentials.token}` }
    case 'headers':
      return Object.fromEntries(
        Object.entries(credentials.headers).map(([name, value]) => [name.toLowerCase(), value]),
      )
  }
}

/** @see RFC 7617 */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
