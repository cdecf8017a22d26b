import { TextDecoder } from 'node:util'
import { SaxesParser, type SaxesTagNS } from 'saxes'
import { escapeXmlAttribute, escapeXmlText } from '../../../codec/xml.ts'
import { ChantalError } from '../../../core/errors.ts'
import { isPlainPackage } from './plain-package.ts'
import { type RepodataDocument, repodataRoots, rpmNamespace } from './repodata-document.ts'

/**
 * Reads a document with a conforming XML parser and writes each package again in the plain form that
 * `plain-package.ts` defines, so that it stands alone under our root's namespaces:
 *
 * - elements of the document's namespace (or of none, where the root has none) lose their prefix, those of rpm's
 *   get `rpm:`; elements and attributes of other namespaces are left out, for no client reads them;
 * - comments and processing instructions are left out, CDATA becomes text, character references become characters;
 * - an element `package` within a package is left out, so that no reader, however naive, sees two;
 * - what stands beside packages under the root is left out with all it holds, as createrepo_c does.
 *
 * Each result is checked again by {@link isPlainPackage}.
 */
export class StrictPackageReader {
  readonly #document: RepodataDocument
  readonly #maxPackageSize: number
  readonly #parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true })
  #decoder: TextDecoder | null
  #start: Buffer = Buffer.alloc(0)
  #packages: Buffer[] = []
  /** The package that is being read, in pieces. */
  #pieces: string[] | null = null
  /** The root's own: the document's namespace or none. */
  #namespace = ''
  #depth = 0
  /** The depth of the outermost element that is left out; 0 for none. */
  #skippedFrom = 0
  #unaccounted = 0
  #declaredCount: number | null = null

  /** @param encoding `null`: to be read from the document's start. */
  constructor(document: RepodataDocument, maxPackageSize: number, encoding: 'utf-8' | null) {
    this.#document = document
    this.#maxPackageSize = maxPackageSize
    this.#decoder = encoding === null ? null : new TextDecoder(encoding, { fatal: true })
    this.#parser.on('error', (error) => this.#refuse(error.message, error))
    this.#parser.on('opentag', (tag) => this.#open(tag))
    this.#parser.on('closetag', (tag) => this.#close(tag))
    this.#parser.on('text', (text) => this.#text(text))
    this.#parser.on('cdata', (text) => this.#text(text))
  }

  /** The root's `packages="N"`; known once the root was read. */
  get declaredCount(): number | null {
    return this.#declaredCount
  }

  /**
   * @returns the packages that are complete now
   * @throws ChantalError `UPSTREAM_INVALID` where the document is not well formed, not this document, or too large
   */
  write(bytes: Uint8Array): readonly Buffer[] {
    this.#unaccounted += bytes.length
    if (this.#decoder === null) {
      this.#start = Buffer.concat([this.#start, bytes])
      if (this.#start.length < encodingWindow) return []
      this.#feedStart()
    } else {
      this.#feed(this.#decoder, bytes, true)
    }
    if (this.#unaccounted > this.#maxPackageSize) {
      this.#refuse(`more than ${this.#maxPackageSize} bytes without the end of a package`)
    }
    return this.#taken()
  }

  /** Ends the document. @throws ChantalError `UPSTREAM_INVALID` where it is truncated */
  end(): readonly Buffer[] {
    if (this.#decoder === null) this.#feedStart()
    if (this.#decoder !== null) this.#feed(this.#decoder, new Uint8Array(), false)
    this.#parser.close()
    return this.#taken()
  }

  #feedStart(): void {
    this.#decoder = this.#decoderFor(this.#start)
    this.#feed(this.#decoder, this.#start, true)
    this.#start = Buffer.alloc(0)
  }

  #feed(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): void {
    let text: string
    try {
      text = decoder.decode(bytes, { stream })
    } catch (error) {
      this.#refuse(`bytes that are not ${decoder.encoding}`, error)
    }
    if (text !== '') this.#parser.write(text)
  }

  #decoderFor(start: Buffer): TextDecoder {
    const label = encodingOf(start)
    try {
      return new TextDecoder(label, { fatal: true })
    } catch (error) {
      this.#refuse(`an unknown encoding, ${JSON.stringify(label)}`, error)
    }
  }

  #taken(): readonly Buffer[] {
    const packages = this.#packages
    this.#packages = []
    return packages
  }

  #open(tag: SaxesTagNS): void {
    this.#depth += 1
    if (this.#depth > maxDepth) this.#refuse(`elements nested deeper than ${maxDepth}`)
    if (this.#depth === 1) {
      this.#openRoot(tag)
      return
    }
    if (this.#skippedFrom > 0) return
    const name = this.#plainName(tag)
    const isPackage = name === 'package'
    if (name === null || isPackage !== (this.#depth === 2)) {
      this.#skippedFrom = this.#depth
      return
    }
    if (isPackage) this.#pieces = []
    const attributes = Object.values(tag.attributes).map((attribute) =>
      isPlainAttribute(attribute.uri, attribute.name)
        ? ` ${attribute.name}="${escapeXmlAttribute(attribute.value)}"`
        : '',
    )
    this.#pieces?.push(`<${name}${attributes.join('')}${this.#isWrittenEmpty(tag) ? '/>' : '>'}`)
  }

  #openRoot(tag: SaxesTagNS): void {
    const { element, namespace } = repodataRoots[this.#document]
    if (tag.local !== element || (tag.uri !== namespace && tag.uri !== '')) {
      this.#refuse(`the root element <${tag.name}> of "${tag.uri}", expected <${element}> of "${namespace}"`)
    }
    this.#unaccounted = 0
    this.#namespace = tag.uri
    this.#declaredCount = parseDeclaredCount(tag.attributes['packages']?.value)
  }

  #close(tag: SaxesTagNS): void {
    if (this.#skippedFrom > 0) {
      if (this.#depth === this.#skippedFrom) this.#skippedFrom = 0
    } else if (this.#pieces !== null && !this.#isWrittenEmpty(tag)) {
      this.#pieces.push(`</${this.#plainName(tag) ?? ''}>`)
    }
    if (this.#depth === 2) this.#finishChildOfRoot()
    this.#depth -= 1
  }

  #finishChildOfRoot(): void {
    this.#unaccounted = 0
    if (this.#pieces === null) return
    const fragment = Buffer.from(this.#pieces.join(''))
    this.#pieces = null
    if (fragment.length > this.#maxPackageSize) {
      this.#refuse(`a package of more than ${this.#maxPackageSize} bytes`)
    }
    if (!isPlainPackage(fragment, this.#document)) {
      this.#refuse('a package with more levels, attributes or other names than the format has')
    }
    this.#packages.push(fragment)
  }

  #text(text: string): void {
    if (this.#skippedFrom === 0) this.#pieces?.push(escapeXmlText(text))
  }

  /** The name under our root, or `null` for an element that is left out. */
  #plainName(tag: SaxesTagNS): string | null {
    const isOwn = tag.uri === this.#namespace
    const isRpm = tag.uri === rpmNamespace && this.#document === 'primary'
    // Clients know these elements by the prefix alone: leaving them out would hide what they read.
    if (tag.prefix === 'rpm' && !isRpm)
      this.#refuse(`<${tag.name}> of "${tag.uri}", expected "${rpmNamespace}"`)
    if (!plainName.test(tag.local)) return null
    if (isOwn) return tag.local
    return isRpm ? `rpm:${tag.local}` : null
  }

  #isWrittenEmpty(tag: SaxesTagNS): boolean {
    return tag.isSelfClosing && this.#depth > 2
  }

  #refuse(found: string, cause?: unknown): never {
    throw new ChantalError('UPSTREAM_INVALID', `${this.#document}.xml: ${found}`, { cause })
  }
}

/** `packages="N"` of a root element. Advisory: old tools got it wrong. */
export function parseDeclaredCount(value: string | undefined): number | null {
  return value !== undefined && /^[0-9]{1,9}$/.test(value) ? Number(value) : null
}

const maxDepth = 32

/** The XML declaration stands in the first bytes or nowhere. */
const encodingWindow = 256

const plainName = /^[A-Za-z_][A-Za-z0-9_.-]*$/

function isPlainAttribute(namespace: string, name: string): boolean {
  return namespace === '' ? plainName.test(name) : name === 'xml:base'
}

function encodingOf(start: Buffer): string {
  const mark = start.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || mark === '3c00') return 'utf-16le'
  if (mark === 'feff' || mark === '003c') return 'utf-16be'
  const declared = /^(?:\u00ef\u00bb\u00bf)?<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']/.exec(
    start.toString('latin1'),
  )
  return declared?.[1] ?? 'utf-8'
}
