import { readXmlText, type XmlElement } from '../codec/xml.ts'
import type { Checksum } from '../core/digest.ts'
import { parseChecksum } from '../core/digest.ts'
import { ChantalError, isChantalError } from '../core/errors.ts'
import type { MetalinkFile } from './downloader.ts'
import { parseBase } from './location.ts'

export interface Metalink {
  readonly file: MetalinkFile
  /** Base URLs, most preferred first, each ending in `/`. */
  readonly mirrors: readonly [URL, ...URL[]]
}

/** One state of the file: the current one, or an alternate. */
export type MetalinkState = MetalinkFile['alternates'][number]

const rootDocument = 'repomd.xml'

/**
 * Reads MirrorManager's metalink for a repository's `repomd.xml`: Metalink 3.0 with `mm0:timestamp` and `mm0:alternates`. A wrong
 * number or checksum counts as not said; URLs other than `http:` and `https:`, and such as do not lead to `repodata/repomd.xml`, are passed over.
 * @throws ChantalError `UPSTREAM_INVALID` for what is not XML or names no mirror of `repomd.xml`
 * @see librepo, `metalink.c`
 */
export function parseMetalink(text: string): Metalink {
  const parsed = readFiles(text).find((file) => file.name === rootDocument)
  if (!parsed) throw invalid(`it does not list ${rootDocument}`)
  const [first, ...others] = mirrorsOf(parsed.urls)
  if (!first) throw invalid(`it names no http or https mirror of ${rootDocument}`)
  const { urls: _, alternates, ...current } = parsed
  const newestFirst = [...alternates].sort((a, b) => (b.timestamp ?? 0) - (a.timestamp ?? 0))
  return { file: { ...current, alternates: newestFirst }, mirrors: [first, ...others] }
}

interface ListedFile extends MetalinkState {
  readonly name: string
  readonly alternates: readonly MetalinkState[]
  readonly urls: readonly { readonly text: string; readonly preference: number }[]
}

function readFiles(text: string): readonly ListedFile[] {
  const root = readRoot(text)
  return descendants(root)
    .filter(({ local }) => local === 'file')
    .map(readFile)
}

function readRoot(text: string): XmlElement {
  try {
    return readXmlText(text)
  } catch (error) {
    if (isChantalError(error, 'UPSTREAM_INVALID', 'SIZE_LIMIT')) throw invalid(error.message, error)
    throw error
  }
}

function readFile(file: XmlElement): ListedFile {
  const parts = descendants(file, 'alternate')
  return {
    name: file.attributes.get('name') ?? '',
    ...readState(parts),
    alternates: parts
      .filter(({ local }) => local === 'alternate')
      .map((alternate) => readState(descendants(alternate))),
    urls: parts
      .filter(({ local }) => local === 'resources')
      .flatMap(({ children }) => children.filter(({ local }) => local === 'url'))
      .map((url) => ({
        text: url.text.trim(),
        preference: Number.parseInt(url.attributes.get('preference') ?? '', 10) || 0,
      })),
  }
}

function readState(parts: readonly XmlElement[]): MetalinkState {
  const count = (name: string) => parseCount(parts.findLast(({ local }) => local === name)?.text ?? '')
  return {
    size: count('size'),
    timestamp: count('timestamp'),
    checksums: parts
      .filter(({ local }) => local === 'hash')
      .flatMap(({ attributes, text }) => readChecksum(attributes.get('type') ?? '', text)),
  }
}

/** All elements below, in order; of those with the local name `closed`, not what is in them. */
function descendants(element: XmlElement, closed?: string): readonly XmlElement[] {
  const found: XmlElement[] = []
  const visit = (one: XmlElement): void => {
    for (const child of one.children) {
      found.push(child)
      if (child.local !== closed) visit(child)
    }
  }
  visit(element)
  return found
}

function mirrorsOf(urls: ListedFile['urls']): readonly URL[] {
  const byPreference = [...urls].sort((a, b) => b.preference - a.preference)
  const bases = new Map<string, URL>()
  for (const { text } of byPreference) {
    const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null
    if (!url?.pathname.endsWith(`/repodata/${rootDocument}`)) continue
    url.pathname = url.pathname.slice(0, -`repodata/${rootDocument}`.length)
    const base = parseBase(url)
    bases.set(base.href, bases.get(base.href) ?? base)
  }
  return [...bases.values()]
}

function readChecksum(type: string, hex: string): readonly Checksum[] {
  try {
    return [parseChecksum(type, hex)]
  } catch (error) {
    if (isChantalError(error, 'DIGEST_INVALID')) return []
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
