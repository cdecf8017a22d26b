import { ChantalError } from '../core/errors.ts'
import { displayUrl } from './display-url.ts'

/**
 * The URL of `location` at one mirror. The mirror's query goes along: it may be the token that opens the repository.
 * @param base ends in `/`
 * @param location relative to `base`, not percent-encoded. A leading `/` does not leave `base`; `..` may, where the mirror is on the web
 * @throws ChantalError `PATH_UNSAFE` where a `file:` feed would be left, or half of a surrogate pair stands in the location: no URL has it
 */
export function resolveLocation(base: URL, location: string): URL {
  if (!location.isWellFormed()) throw unsafe('location is no Unicode text', location)
  // No colon and no leading slash is left in it, so it is a relative reference.
  const reference = encodePath(location.replace(/^\/+/, ''))
  // There are tens of thousands of them: with a base to resolve against, a URL takes twice as long.
  // An empty query or fragment (`http://host/path/?`) shows in the text alone.
  const isBare = base.search === '' && base.hash === '' && base.href.endsWith('/')
  const url = isBare ? new URL(base.href + reference) : new URL(reference + base.search, base)
  if (base.protocol === 'file:' && !url.pathname.startsWith(base.pathname))
    throw unsafe('location leaves the feed', location)
  return url
}

/**
 * Checks a URL that metadata names in full (`xml:base`).
 * @throws ChantalError `PATH_UNSAFE` for a scheme other than `http:` and `https:`: upstream does not get to name files of this machine
 */
export function parseAbsoluteLocation(url: URL): URL {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw unsafe('location leaves the feed', displayUrl(url))
  return url
}

/** Gives a feed the `/` at its end that a base URL needs, before its query. */
export function parseBase(url: URL): URL {
  const base = new URL(url)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return base
}

/**
 * Percent-encodes each segment. More than RFC 3986 asks for: S3 reads a bare `+` as a space, and `~` and `^` stand in
 * package names, where some stores compare the encoded form.
 */
function encodePath(path: string): string {
  if (/^[\w./-]*$/.test(path)) return path
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment).replace(/[~!'()*]/g, encodeByte))
    .join('/')
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function unsafe(why: string, location: string): ChantalError {
  return new ChantalError('PATH_UNSAFE', `${why}: ${JSON.stringify(location)}`)
}
