import { SaxesParser } from 'saxes'
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
const deepest = 32

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

interface OpenState {
  size: number | null
  timestamp: number | null
  readonly checksums: Checksum[]
}

interface OpenFile extends OpenState {
  readonly name: string
  readonly alternates: OpenState[]
  readonly urls: { readonly text: string; readonly preference: number }[]
}

function readFiles(text: string): readonly OpenFile[] {
  const files: OpenFile[] = []
  const stack: { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[] = []
  let content = ''
  let file: OpenFile | null = null
  let state: OpenState | null = null

  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw invalid(error.message, error)
  })
  parser.on('doctype', () => {
    throw invalid('it has a document type declaration')
  })
  parser.on('opentag', (tag) => {
    if (stack.length >= deepest) throw invalid('it is nested too deeply')
    const name = localName(tag.name)
    stack.push({ name, attributes: tag.attributes })
    content = ''
    if (name === 'file') {
      file = { name: tag.attributes['name'] ?? '', ...emptyState(), alternates: [], urls: [] }
      state = file
      files.push(file)
    } else if (name === 'alternate' && file) {
      state = emptyState()
      file.alternates.push(state)
    }
  })
  parser.on('text', (part) => {
    content += part
  })
  parser.on('cdata', (part) => {
    content += part
  })
  parser.on('closetag', () => {
    const closed = stack.pop()
    if (!closed || !file || !state) return
    const parent = stack.at(-1)?.name
    if (closed.name === 'size') state.size = parseCount(content)
    else if (closed.name === 'timestamp') state.timestamp = parseCount(content)
    else if (closed.name === 'hash')
      state.checksums.push(...readChecksum(closed.attributes['type'] ?? '', content))
    else if (closed.name === 'url' && parent === 'resources') {
      file.urls.push({
        text: content.trim(),
        preference: Number.parseInt(closed.attributes['preference'] ?? '', 10) || 0,
      })
    } else if (closed.name === 'alternate') state = file
    else if (closed.name === 'file') {
      file = null
      state = null
    }
    content = ''
  })
  parser.write(text).close()
  return files
}

function mirrorsOf(urls: OpenFile['urls']): readonly URL[] {
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

function emptyState(): OpenState {
  return { size: null, timestamp: null, checksums: [] }
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

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function invalid(why: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `not a usable metalink: ${why}`, { cause })
}
