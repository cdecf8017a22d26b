import { ChantalError } from '../../../core/errors.ts'

/**
 * Walks the fields of one stanza of decoded text, as apt reads it: a field is a name, a colon and a value, which goes on in
 * every line that starts with white space, also in one of nothing else. Lines before the first field that continue nothing
 * are passed over. Comments are unknown here: a line that starts with `#` is a field, or it is refused.
 *
 * Offsets count characters of `text`: bytes, where that was decoded as latin1.
 * @see apt-pkg/tagfile.cc, `pkgTagSection::Scan`
 */
export class FieldCursor {
  readonly #text: string
  readonly #what: string
  #colon = 0
  #isFolded = false
  /** Where the field's name starts. */
  start = 0
  nameEnd = 0
  /** After the line break of the field's last line; of the text, where it has none. */
  end = 0

  /** @param what names the text in errors */
  constructor(text: string, what: string) {
    this.#text = text
    this.#what = what
  }

  /**
   * Goes to the next field; `false` at the end, or at an empty line.
   * @throws ChantalError `UPSTREAM_INVALID` at a line that is no field: apt takes it and the next line's name for one name
   */
  next(): boolean {
    const text = this.#text
    const start = this.#nextStart()
    if (start < 0) return false
    const lineEnd = endOfLine(text, start)
    const colon = text.indexOf(':', start)
    if (colon < 0 || colon >= lineEnd) throw this.#noField(start, lineEnd)
    this.start = start
    this.#colon = colon
    this.nameEnd = trimmedEnd(text, start, colon)
    this.end = this.#endOfField(lineEnd)
    this.#isFolded = this.end !== lineEnd
    return true
  }

  get name(): string {
    return this.#text.slice(this.start, this.nameEnd)
  }

  /**
   * The first line without white space around it, left out where that is empty; every further line without its first blank
   * and what trails. Lines are joined by `\n`; ` .` is an empty line.
   */
  get value(): string {
    const text = this.#text
    const from = this.#colon + 1
    const end = trimmedEnd(text, from, this.end)
    if (!this.#isFolded) return text.slice(trimmedStart(text, from, end), end)

    const lines: string[] = []
    let at = from
    while (at < end) {
      const lineEnd = Math.min(endOfLine(text, at), end)
      const start = at === from ? trimmedStart(text, at, lineEnd) : afterReturns(text, at) + 1
      const line = text.slice(start, trimmedEnd(text, start, lineEnd))
      if (at !== from) lines.push(line === '.' ? '' : line)
      else if (line !== '') lines.push(line)
      at = lineEnd
    }
    return lines.join('\n')
  }

  #nextStart(): number {
    const text = this.#text
    let at = this.end
    while (at < text.length) {
      const start = afterReturns(text, at)
      const code = text.charCodeAt(start)
      if (start === text.length || code === lineFeed) return -1
      if (!isSpace(code)) return start
      at = endOfLine(text, start)
    }
    return -1
  }

  #endOfField(lineEnd: number): number {
    const text = this.#text
    let end = lineEnd
    while (end < text.length) {
      const start = afterReturns(text, end)
      const code = text.charCodeAt(start)
      if (code === lineFeed || !isSpace(code)) break
      end = endOfLine(text, start)
    }
    return end
  }

  #noField(start: number, lineEnd: number): ChantalError {
    const line = this.#text.slice(start, Math.min(lineEnd, start + 200)).trimEnd()
    return new ChantalError('UPSTREAM_INVALID', `${this.#what}: a line is no field: ${JSON.stringify(line)}`)
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** In the C locale. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

/** After the line break. */
function endOfLine(text: string, from: number): number {
  const found = text.indexOf('\n', from)
  return found < 0 ? text.length : found + 1
}

/** What a line starts with, for apt: a carriage return there is none of it. */
function afterReturns(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) === carriageReturn) at += 1
  return at
}

/** Where text begins that has white space of the C locale before it. */
export function trimmedStart(text: string, from: number, end: number): number {
  let start = from
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  return start
}

/** Where text ends that has such white space after it. */
export function trimmedEnd(text: string, from: number, end: number): number {
  let trimmed = end
  while (trimmed > from && isSpace(text.charCodeAt(trimmed - 1))) trimmed -= 1
  return trimmed
}
