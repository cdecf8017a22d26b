import { ChantalError } from '../core/errors.ts'
import { parseBase } from './location.ts'
import { mostMirrors } from './mirrors.ts'

/**
 * The mirrors of a yum mirrorlist, in its order, each ending in `/`. One URL a line, or `url = URL`; comments, blank lines,
 * schemes other than `http:` and `https:`, and URLs with a variable left in them (`$basearch`) are passed over, and so is what
 * comes after the first {@link mostMirrors}.
 * @throws ChantalError `UPSTREAM_INVALID` where no mirror is left
 */
export function parseMirrorlist(text: string): readonly [URL, ...URL[]] {
  const seen = new Set<string>()
  const mirrors: URL[] = []
  // One at a time: the lines of a list that is all line feeds take twenty times what the text does.
  for (const [line] of text.matchAll(/[^\r\n]+/g)) {
    if (mirrors.length === mostMirrors) break
    const mirror = parseLine(line)
    if (!mirror || seen.has(mirror.href)) continue
    seen.add(mirror.href)
    mirrors.push(mirror)
  }
  const [first, ...others] = mirrors
  if (first) return [first, ...others]
  throw new ChantalError('UPSTREAM_INVALID', 'the mirrorlist names no http or https mirror', {
    details: { begins: withoutLogins(text.slice(0, 1000)).slice(0, 80) },
    hint: 'Check that the URL answers with a list of mirrors, and that it fits the release and architecture.',
  })
}

/** What cannot be parsed as a URL may hold a login all the same. */
function withoutLogins(text: string): string {
  return text.replaceAll(/:\/\/[^/\s]*@/g, '://***@')
}

function parseLine(line: string): URL | null {
  const text = line.trim().replace(/^url\s*=\s*/i, '')
  if (!/^https?:\/\//i.test(text) || text.includes('$') || /\s/.test(text)) return null
  const url = URL.parse(text)
  return url && parseBase(url)
}
