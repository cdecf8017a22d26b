import { unescapeXml } from '../../../codec/xml.ts'

/**
 * Walks the start tags of a plain fragment (see `plain-package.ts`), where a `<` always starts a tag and the next `>`
 * ends it. Made for tens of thousands of fragments a second: nothing is copied but what is asked for.
 */
export class FragmentReader {
  readonly #bytes: Buffer
  /** One character per byte, so that positions are the bytes'. */
  readonly #text: string
  #tagStart = -1
  #tagEnd = -1
  #open = 0
  /** Levels above the current tag: 0 for `<package>`. */
  depth = 0
  /** Of the current tag, prefix included. */
  name = ''

  constructor(fragment: Uint8Array) {
    this.#bytes = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength)
    this.#text = this.#bytes.toString('latin1')
  }

  /** Goes to the next start tag. @returns whether there is one; a tag that is cut off is none */
  next(): boolean {
    const text = this.#text
    for (;;) {
      const start = text.indexOf('<', this.#tagEnd + 1)
      if (start < 0) return false
      const end = text.indexOf('>', start)
      if (end < 0) return false
      this.#tagStart = start
      this.#tagEnd = end
      if (text.charCodeAt(start + 1) === slash) {
        this.#open -= 1
        continue
      }
      this.depth = this.#open
      if (text.charCodeAt(end - 1) !== slash) this.#open += 1
      let nameEnd = start + 1
      while (nameEnd < end && !endsName(text.charCodeAt(nameEnd))) nameEnd += 1
      this.name = text.slice(start + 1, nameEnd)
      return true
    }
  }

  /** Where the current tag stands, `<` and `>` included. */
  get range(): { readonly start: number; readonly end: number } {
    return { start: this.#tagStart, end: this.#tagEnd + 1 }
  }

  /** The current tag, from `<` to `>`. */
  tag(): string {
    return this.#bytes.toString('utf8', this.#tagStart, this.#tagEnd + 1)
  }

  /** The current element's text, unescaped, `''` for an empty one; `null` where elements stand in it. */
  text(): string | null {
    if (this.#text.charCodeAt(this.#tagEnd - 1) === slash) return ''
    const end = this.#text.indexOf('<', this.#tagEnd)
    if (this.#text.charCodeAt(end + 1) !== slash) return null
    return unescapeXml(this.#bytes.toString('utf8', this.#tagEnd + 1, end))
  }
}

/** The attributes of a plain start tag, unescaped, in order. */
export function attributesOf(tag: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  let equals = tag.indexOf('="')
  while (equals >= 0) {
    let start = equals
    while (start > 0 && !isSpace(tag.charCodeAt(start - 1))) start -= 1
    const end = tag.indexOf('"', equals + 2)
    if (end < 0) break
    attributes.set(tag.slice(start, equals), unescapeXml(tag.slice(equals + 2, end)))
    equals = tag.indexOf('="', end)
  }
  return attributes
}

const slash = 0x2f

function endsName(code: number): boolean {
  return isSpace(code) || code === slash
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09
}
