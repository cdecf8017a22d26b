import { fileURLToPath } from 'node:url'
import type { Feed } from '../download/downloader.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import { decodePercent } from './percent-decoding.ts'

/** A feed, and the credentials that stood in its URL. */
export interface ParsedFeed {
  readonly feed: Feed
  readonly credentials: { readonly username: string; readonly password: string } | null
}

interface FeedKeys {
  readonly feed?: string | undefined
  readonly feeds?: readonly string[] | undefined
  readonly mirrorlist?: string | undefined
  readonly metalink?: string | undefined
}

const kinds = ['feed', 'feeds', 'mirrorlist', 'metalink'] as const

/** The one of `feed`, `feeds`, `mirrorlist`, `metalink` that is given; a `hosted` repository has none. `null` where that is so or wrong. */
export function parseFeed(
  document: FeedKeys,
  isHosted: boolean,
  path: DocumentPath,
  reader: DocumentReader,
): ParsedFeed | null {
  const given = kinds.filter((kind) => document[kind] !== undefined)
  const [kind, second] = given
  if (kind === undefined) {
    if (!isHosted)
      reader.wrong(
        [...path, 'feed'],
        'missing key "feed"',
        'Give feed, feeds, mirrorlist or metalink, or "mode: hosted".',
      )
    return null
  }
  if (isHosted) {
    reader.wrong([...path, kind], `a hosted repository has no upstream: "${kind}" is too much`)
    return null
  }
  if (second !== undefined) {
    reader.wrong(
      [...path, second],
      `give one of feed, feeds, mirrorlist and metalink: "${kind}" is there already`,
    )
    return null
  }
  if (kind === 'mirrorlist' || kind === 'metalink') {
    const at = [...path, kind]
    const parsed = parseUpstreamUrl(document[kind] ?? '', at, reader)
    if (parsed?.url.protocol === 'file:') {
      reader.wrong(at, `a ${kind} is asked for over http or https`, 'Name mounted folders under "feeds".')
      return null
    }
    return parsed && { feed: { kind, url: parsed.url }, credentials: parsed.credentials }
  }
  const texts = document.feeds ?? [document.feed ?? '']
  const parsed = texts.map((text, index) => {
    const at = kind === 'feeds' ? [...path, kind, index] : [...path, kind]
    const one = parseUpstreamUrl(text, at, reader)
    if (one) endInSlash(one.url)
    return one
  })
  const [first, ...others] = parsed
  if (!first || others.some((one) => one === null)) return null
  const urls: [URL, ...URL[]] = [first.url]
  for (const other of others) if (other) urls.push(other.url)
  const credentials = first.credentials
  for (const [index, other] of others.entries()) {
    if (JSON.stringify(other?.credentials) !== JSON.stringify(credentials)) {
      reader.wrong(
        [...path, 'feeds', index + 1],
        'all feeds of a repository share one login',
        'Give it under "auth".',
      )
      return null
    }
  }
  return { feed: { kind: 'urls', urls }, credentials }
}

interface UpstreamUrl {
  readonly url: URL
  readonly credentials: ParsedFeed['credentials']
}

function parseUpstreamUrl(text: string, path: DocumentPath, reader: DocumentReader): UpstreamUrl | null {
  const url = URL.parse(text.trim())
  if (!url) {
    reader.wrong(path, 'expected a URL that starts with https://, http:// or file://')
    return null
  }
  if (!['http:', 'https:', 'file:'].includes(url.protocol)) {
    reader.wrong(path, `expected a URL of http, https or file, found ${url.protocol.slice(0, -1)}`)
    return null
  }
  if (url.protocol === 'file:' && !isOfThisMachine(url)) {
    reader.wrong(
      path,
      'expected file:///FOLDER, without a host, an encoded slash or an encoded null character',
    )
    return null
  }
  url.hash = ''
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return { url, credentials: null }
  return { url, credentials: { username: decodePercent(username), password: decodePercent(password) } }
}

function isOfThisMachine(url: URL): boolean {
  try {
    return !fileURLToPath(url).includes('\u0000')
  } catch {
    return false
  }
}

function endInSlash(url: URL): void {
  if (!url.pathname.endsWith('/')) url.pathname += '/'
}
