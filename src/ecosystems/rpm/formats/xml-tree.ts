import { isUtf8 } from 'node:buffer'
import { SaxesParser } from 'saxes'
import { ChantalError } from '../../../core/errors.ts'

/** An element and where it stands in its text: `start` at its `<`, `end` behind its last `>`. */
export interface XmlTreeElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  /** Its own character data, that of its children left out. */
  readonly text: string
  readonly children: readonly XmlTreeElement[]
  readonly start: number
  readonly end: number
}

/** Text that can be encoded to the very bytes it came from. */
export interface DecodedXml {
  readonly text: string
  readonly encoding: 'utf8' | 'latin1'
}

/** Elements of one tree. Real advisories and comps stay two orders of magnitude below. */
const maxElements = 500_000

/** Reads bytes that are not UTF-8 as ISO 8859-1, so that nothing of them is lost. */
export function decodeXml(bytes: Uint8Array): DecodedXml {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
  return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding), encoding }
}

/**
 * Reads a whole XML document into its root element; comments, processing instructions and a DOCTYPE are passed over.
 * @throws ChantalError `UPSTREAM_INVALID` where it is not well formed, declares entities, or has too many elements
 */
export function readXmlTree(text: string): XmlTreeElement {
  let root: XmlTreeElement | null = null
  let count = 0
  const open: OpenElement[] = []
  const parser = strictParser()
  parser.on('opentagstart', ({ name }) => {
    count += 1
    if (count > maxElements) throw new Error(`more than ${maxElements} elements`)
    const start = text.lastIndexOf('<', parser.position - 1)
    open.push({ name, attributes: new Map(), text: [], children: [], start })
  })
  parser.on('attribute', ({ name, value }) => open.at(-1)?.attributes.set(name, value))
  const addText = (part: string): void => {
    open.at(-1)?.text.push(part)
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const closed = open.pop()
    if (!closed) return
    const element = {
      ...closed,
      text: closed.text.join(''),
      end: text.lastIndexOf('>', parser.position - 1) + 1,
    }
    const parent = open.at(-1)
    if (parent) parent.children.push(element)
    else root = element
  })
  feed(parser, text)
  parseOrRefuse(() => parser.close())
  return root ?? refuse(new Error('no root element'))
}

/** A parser that throws at whatever is not well formed, and at a DOCTYPE with declarations of its own. */
export function strictParser(): SaxesParser {
  const parser = new SaxesParser()
  parser.on('doctype', (doctype) => {
    if (doctype.includes('[')) throw new Error('DOCTYPE with declarations')
  })
  return parser
}

/** @throws ChantalError `UPSTREAM_INVALID` */
export function feed(parser: SaxesParser, text: string): void {
  parseOrRefuse(() => parser.write(text))
}

/** @throws ChantalError `UPSTREAM_INVALID` */
export function parseOrRefuse(parse: () => unknown): void {
  try {
    parse()
  } catch (error) {
    refuse(error)
  }
}

interface OpenElement {
  readonly name: string
  readonly attributes: Map<string, string>
  readonly text: string[]
  readonly children: XmlTreeElement[]
  readonly start: number
}

function refuse(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new ChantalError('UPSTREAM_INVALID', `XML cannot be read: ${reason.slice(0, 300)}`, { cause })
}

/** The children of that name. */
export function childrenOf(element: XmlTreeElement, name: string): readonly XmlTreeElement[] {
  return element.children.filter((child) => child.name === name)
}

/** The trimmed text of the first child of that name; `null` where there is none, or it is blank. */
export function childText(element: XmlTreeElement, name: string): string | null {
  const text = element.children.find((child) => child.name === name)?.text.trim()
  return text === undefined || text === '' ? null : text
}

/**
 * The text without those elements, each with its line where it has one to itself.
 * @param elements not within one another
 */
export function withoutElements(text: string, elements: readonly XmlTreeElement[]): string {
  const parts: string[] = []
  let at = 0
  for (const element of elements.toSorted((a, b) => a.start - b.start)) {
    const lineStart = startOfBlanks(text, element.start)
    const lineEnd = endOfBlanks(text, element.end)
    const ownsLine = lineStart !== null && lineEnd !== null && lineStart >= at
    parts.push(text.slice(at, ownsLine ? lineStart : element.start))
    at = ownsLine ? lineEnd : element.end
  }
  return parts.join('') + text.slice(at)
}

/** The start of the line where only blanks precede `from` on it. */
function startOfBlanks(text: string, from: number): number | null {
  let at = from
  while (at > 0 && (text[at - 1] === ' ' || text[at - 1] === '\t')) at -= 1
  return at === 0 || text[at - 1] === '\n' ? at : null
}

/** The start of the next line where only blanks follow `from`. */
function endOfBlanks(text: string, from: number): number | null {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at += 1
  return text[at] === '\n' ? at + 1 : null
}
