import { readXmlText, type XmlElement } from '../codec/xml.ts'
import type { Checksum } from '../core/digest.ts'
import { parseChecksum } from '../core/digest.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { MetalinkFile } from './downloader.ts'
import { parseBase } from './location.ts'
import { mostMirrors } from './mirrors.ts'

export interface Metalink {
  readonly file: MetalinkFile
  /** Base URLs, most preferred first, each ending in `/`. */
  readonly mirrors: readonly [URL, ...URL[]]
}

/** One state of the file: the current one, or an alternate. */
export type MetalinkState = MetalinkFile['alternates'][number]

const rootDocument = 'repomd.xml'

/** Earlier states that are kept, the newest. MirrorManager lists those of a few days, a handful or two. */
const mostAlternates = 100

/**
 * Reads MirrorManager's metalink for a repository's `repomd.xml`: Metalink 3.0 with `mm0:timestamp` and `mm0:alternates`. A wrong
 * number, time or checksum counts as not said, and so does a second checksum of one algorithm. URLs other than `http:` and `https:`, and such as
 * do not lead to `repodata/repomd.xml`, are passed over. Of more than {@link mostMirrors} mirrors the most preferred are taken.
 * @throws ChantalError `UPSTREAM_INVALID` for what is not XML or names no mirror of `repomd.xml`
 * @see librepo, `metalink.c`
 */
export function parseMetalink(text: string): Metalink {
  const file = descendants(readRoot(text), 'file').find(
    ({ local, attributes }) => local === 'file' && attributes.get('name') === rootDocument,
  )
  if (!file) throw invalid(`it does not list ${rootDocument}`)
  const parts = descendants(file, 'file', 'alternate')
  const [first, ...others] = mirrorsOf(readUrls(parts))
  if (!first) throw invalid(`it names no http or https mirror of ${rootDocument}`)
  return {
    file: { name: rootDocument, ...readState(parts), alternates: readAlternates(parts) },
    mirrors: [first, ...others],
  }
}

function readRoot(text: string): XmlElement {
  try {
    return readXmlText(text)
  } catch (error) {
    if (isChantalError(error, 'UPSTREAM_INVALID', 'SIZE_LIMIT')) throw invalid(error.message, error)
    throw error
  }
}

/** Newest first. */
function readAlternates(parts: readonly XmlElement[]): readonly MetalinkState[] {
  return parts
    .filter(({ local }) => local === 'alternate')
    .map((alternate) => readState(descendants(alternate)))
    .sort((a, b) => (b.timestamp ?? 0) - (a.timestamp ?? 0))
    .slice(0, mostAlternates)
}

function readState(parts: readonly XmlElement[]): MetalinkState {
  const count = (name: string) => parseCount(parts.findLast(({ local }) => local === name)?.text ?? '')
  const timestamp = count('timestamp')
  return {
    size: count('size'),
    timestamp: timestamp !== null && timestamp <= latestTimestamp ? timestamp : null,
    checksums: readChecksums(parts),
  }
}

/** Of the last moment that a `Date` can be: in the year 275760. */
const latestTimestamp = 8.64e12

/** One an algorithm: each is compared with the whole document. */
function readChecksums(parts: readonly XmlElement[]): readonly Checksum[] {
  const byAlgorithm = new Map<string, Checksum>()
  for (const { local, attributes, text } of parts) {
    if (local !== 'hash') continue
    const checksum = readChecksum(attributes.get('type') ?? '', text)
    if (checksum && !byAlgorithm.has(checksum.algorithm)) byAlgorithm.set(checksum.algorithm, checksum)
  }
  return [...byAlgorithm.values()]
}

/**
 * All elements below, in order; of those whose local name is one of `closed`, not what is in them. Whoever reads further into elements that it found
 * has to close them: else what is in several of one another is read once for each.
 */
function descendants(element: XmlElement, ...closed: readonly string[]): readonly XmlElement[] {
  const found: XmlElement[] = []
  const visit = (one: XmlElement): void => {
    for (const child of one.children) {
      found.push(child)
      if (!closed.includes(child.local)) visit(child)
    }
  }
  visit(element)
  return found
}

interface ListedUrl {
  readonly text: string
  readonly preference: number
}

function readUrls(parts: readonly XmlElement[]): readonly ListedUrl[] {
  return parts
    .filter(({ local }) => local === 'resources')
    .flatMap(({ children }) => children.filter(({ local }) => local === 'url'))
    .map(({ text, attributes }) => ({
      text: text.trim(),
      preference: Number.parseInt(attributes.get('preference') ?? '', 10) || 0,
    }))
}

function mirrorsOf(urls: readonly ListedUrl[]): readonly URL[] {
  const byPreference = [...urls].sort((a, b) => b.preference - a.preference)
  const bases = new Map<string, URL>()
  for (const { text } of byPreference) {
    if (bases.size === mostMirrors) break
    const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null
    if (!url?.pathname.endsWith(`/repodata/${rootDocument}`)) continue
    url.pathname = url.pathname.slice(0, -`repodata/${rootDocument}`.length)
    const base = parseBase(url)
    bases.set(base.href, bases.get(base.href) ?? base)
  }
  return [...bases.values()]
}

function readChecksum(type: string, hex: string): Checksum | null {
  try {
    return parseChecksum(type, hex)
  } catch (error) {
    if (isChantalError(error, 'DIGEST_INVALID')) return null
    throw error
  }
}

function parseCount(text: string): number | null {
  const trimmed = text.trim()
  return /^\d{1,15}$/.test(trimmed) ? Number(trimmed) : null
}

function invalid(why: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a usable metalink: ${why}`, { cause })
}
