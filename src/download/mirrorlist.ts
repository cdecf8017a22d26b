import { ChantalError } from '../core/errors.ts'
import { parseBase } from './location.ts'

/**
 * The mirrors of a yum mirrorlist, in its order, each ending in `/`. One URL a line, or `url = URL`; comments, blank lines,
 * schemes other than `http:` and `https:`, and URLs with a variable left in them (`$basearch`) are passed over.
 * @throws ChantalError `UPSTREAM_INVALID` where no mirror is left
 */
export function parseMirrorlist(text: string): readonly [URL, ...URL[]] {
  const seen = new Set<string>()
  const mirrors: URL[] = []
  for (const line of text.split(/\r\n|\r|\n/)) {
    const mirror = parseLine(line)
    if (!mirror || seen.has(mirror.href)) continue
    seen.add(mirror.href)
    mirrors.push(mirror)
  }
  const [first, ...others] = mirrors
  if (first) return [first, ...others]
  throw new ChantalError('UPSTREAM_INVALID', 'the mirrorlist names no http or https mirror', {
    details: { begins: text.slice(0, 80) },
    hint: 'Check that the URL answers with a list of mirrors, and that it fits the release and architecture.',
  })
}

function parseLine(line: string): URL | null {
  const text = line.trim().replace(/^url\s*=\s*/i, '')
  if (!/^https?:\/\//i.test(text) || text.includes('$') || /\s/.test(text)) return null
  const url = URL.parse(text)
  return url && parseBase(url)
}
