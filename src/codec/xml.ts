import type { ByteSource } from '../core/bytes.ts'
import { ChantalError } from '../core/errors.ts'
import { XmlBuilder } from './xml-builder.ts'
import type { XmlElement } from './xml-element.ts'
import { decodeXml, decodeXmlBytes } from './xml-encoding.ts'

export { child, childElements, textOf, type XmlElement } from './xml-element.ts'
export { escapeXmlAttribute, escapeXmlText, unescapeXml } from './xml-text.ts'

/** Bytes of a document that is read at once: what the root documents may have. */
const maxDocumentSize = 32 * 2 ** 20
/** Characters of one element of a document that is streamed. */
const maxElementLength = 16 * 2 ** 20
/** Characters that the parser gets at once. */
const pieceLength = 64 * 1024

/**
 * Reads a small document whole, and gives its root. UTF-8, or what a byte order mark or the declaration says;
 * bytes that are no characters become U+FFFD. A document type is allowed if it declares nothing itself.
 * @throws ChantalError `UPSTREAM_INVALID` with line and column, `SIZE_LIMIT` beyond 32 MiB, a depth of 256 or a million nodes
 */
export function readXmlDocument(bytes: Uint8Array): XmlElement {
  if (bytes.byteLength > maxDocumentSize) {
    throw new ChantalError('SIZE_LIMIT', `XML document: more than ${maxDocumentSize} bytes`, {
      details: { limit_bytes: maxDocumentSize },
    })
  }
  let root: XmlElement | undefined
  const builder = new XmlBuilder({
    onOpen: () => true,
    onTree: (element) => {
      root = element
    },
    onPassed: () => {},
  })
  const text = decodeXmlBytes(bytes)
  for (let start = 0; start < text.length; start += pieceLength) {
    builder.write(text.slice(start, start + pieceLength))
  }
  builder.end()
  if (root === undefined) throw new ChantalError('UPSTREAM_INVALID', 'malformed XML: no root element')
  return root
}

/** A child element of the root. */
export interface StreamedXmlElement {
  readonly element: XmlElement
  /** Its text in the document as it stands there, from `<` to `>`, decoded. Prefixes declared at the root are not in it. */
  readonly source: string
}

export interface StreamXmlOptions {
  /** Local name that the root must have: an error page is told from an empty document. */
  readonly root?: string
  /** Local names of the children to give; the others are checked and passed over. All, if absent. */
  readonly names?: readonly string[]
}

/**
 * Gives the child elements of the root one at a time; text between them is passed over. Encoding, document type and
 * nodes as {@link readXmlDocument}; the whole may be of any size, one element of 16 Mi characters.
 * @throws ChantalError `UPSTREAM_INVALID` with line and column, `SIZE_LIMIT`
 */
export async function* streamXmlElements(
  source: ByteSource,
  options: StreamXmlOptions = {},
): AsyncGenerator<StreamedXmlElement, void> {
  const elements = new ChildElements(options)
  for await (const text of decodeXml(source)) {
    for (let start = 0; start < text.length; start += pieceLength) {
      yield* elements.write(text.slice(start, start + pieceLength))
    }
  }
  elements.end()
}

class ChildElements {
  readonly #options: StreamXmlOptions
  readonly #builder: XmlBuilder
  #complete: StreamedXmlElement[] = []
  /** The text from `#base` on: what is not passed yet. */
  #text = ''
  #base = 0
  #elementStart = 0
  #passed = 0

  constructor(options: StreamXmlOptions) {
    this.#options = options
    this.#builder = new XmlBuilder({
      onOpen: (name, depth, position) => this.#open(name, depth, position),
      onTree: (element, position) => {
        this.#complete.push({
          element,
          source: this.#text.slice(this.#elementStart - this.#base, position - this.#base),
        })
        this.#passed = position
      },
      onPassed: (position) => {
        this.#passed = Math.max(this.#passed, position)
      },
    })
  }

  /** Takes up to 64 Ki characters, and gives the elements that they complete. */
  write(text: string): readonly StreamedXmlElement[] {
    this.#complete = []
    this.#text += text
    this.#builder.write(text)
    this.#text = this.#text.slice(this.#passed - this.#base)
    this.#base = this.#passed
    if (this.#text.length > maxElementLength) {
      throw new ChantalError('SIZE_LIMIT', `XML element: more than ${maxElementLength} characters`, {
        details: { limit_characters: maxElementLength },
      })
    }
    return this.#complete
  }

  end(): void {
    this.#builder.end()
  }

  #open(name: string, depth: number, position: number): boolean {
    const local = name.slice(name.indexOf(':') + 1)
    const { root, names } = this.#options
    if (depth === 0 && root !== undefined && local !== root) {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `XML document: expected the root element ${root}, got ${name.slice(0, 100)}`,
      )
    }
    if (depth !== 1 || (names !== undefined && !names.includes(local))) return false
    this.#elementStart = this.#base + this.#text.lastIndexOf('<', position - this.#base - 1)
    return true
  }
}
