import type { Credentials, UpstreamAccess } from './downloader.ts'

/** Knows which origins a repository's credentials belong to, and gives the headers for those alone. */
export class OriginCredentials {
  readonly #headersByOrigin = new Map<string, Readonly<Record<string, string>>>()

  constructor(access: UpstreamAccess) {
    const shared = headersOf(access.credentials)
    for (const url of feedUrls(access)) {
      const own = access.credentials.kind === 'none' ? headersOf(userOf(url)) : shared
      if (Object.keys(own).length > 0) this.#headersByOrigin.set(url.origin, own)
    }
  }

  /** Header names are lower-case. Empty for an origin that is not the feed's: scheme, host and port must all be equal. */
  headersFor(url: URL): Readonly<Record<string, string>> {
    return this.#headersByOrigin.get(url.origin) ?? {}
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
