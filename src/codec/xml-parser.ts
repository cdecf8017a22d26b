import { SaxesParser } from 'saxes'
import { ChantalError } from '../core/errors.ts'
import type { XmlElement } from './xml-element.ts'

const maxDepth = 256
/** Elements and attributes in one tree: they cost many times the four bytes of `<a/>`. */
const maxNodes = 1_000_000

/** Both count from 1. */
export interface XmlPlace {
  readonly line: number
  readonly column?: number
}

export interface StrictParserOptions {
  /** The document's name, put before messages. */
  readonly what?: string | undefined
  /** Where in the document the parser stands, if that is not where it stands in its own text. */
  readonly locate?: ((parser: SaxesParser) => XmlPlace) | undefined
}

/**
 * A parser that throws at whatever is not well formed, at entities other than XML's own five, and at a document type with
 * declarations of its own.
 */
export function strictParser(options: StrictParserOptions = {}): SaxesParser {
  // XML 1.1 allows control characters, which what we write, 1.0, could not hold.
  const parser = new SaxesParser({ defaultXMLVersion: '1.0', forceXMLVersion: true })
  const { what, locate = ({ line, column }) => ({ line, column }) } = options
  const malformed = (problem: string, cause?: unknown): ChantalError => {
    const { line, column } = locate(parser)
    const place = column === undefined ? `line ${line}` : `line ${line}, column ${column}`
    const details = { format: 'xml', line, ...(column === undefined ? {} : { column }) }
    const message = `malformed XML at ${place}: ${problem.slice(0, 300)}`
    return new ChantalError('UPSTREAM_INVALID', what === undefined ? message : `${what}: ${message}`, {
      cause,
      details,
    })
  }
  parser.on('error', (error) => {
    // The parser puts the position before its message.
    throw malformed(error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, ''), error)
  })
  parser.on('doctype', (doctype) => {
    // Quoted identifiers may hold any character.
    if (doctype.replaceAll(/"[^"]*"|'[^']*'/g, '').includes('[')) {
      throw malformed('a document type with declarations of its own is not allowed')
    }
  })
  return parser
}

export interface XmlTree {
  readonly root: XmlElement
  /** In all of the text. */
  readonly lineBreaks: number
}

/**
 * Gives `text`, a whole document or element, to a fresh parser, and the tree it reads.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` beyond a depth of 256 or a million elements and attributes
 */
export function buildXmlTree(parser: SaxesParser, text: string): XmlTree {
  const open: OpenElement[] = []
  let root: XmlElement | null = null
  let nodes = 0
  const addText = (part: string): void => {
    const element = open.at(-1)
    if (element) element.text += part
  }
  const count = (): void => {
    nodes += 1
    if (nodes > maxNodes) throw tooLarge(`more than ${maxNodes} elements and attributes`)
  }
  parser.on('opentagstart', ({ name }) => {
    if (open.length >= maxDepth) throw tooLarge(`more than ${maxDepth} elements in one another`)
    count()
    const start = text.lastIndexOf('<', parser.position - 1)
    open.push({ name, attributes: null, children: [], text: '', start })
  })
  // One at a time: the parser's own object of them is slow to list.
  parser.on('attribute', ({ name, value }) => {
    count()
    const element = open.at(-1)
    if (!element) return
    element.attributes ??= new Map()
    element.attributes.set(name, value)
  })
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const closed = open.pop()
    if (!closed) return
    const { name, attributes, start } = closed
    const element: XmlElement = {
      name,
      local: name.slice(name.indexOf(':') + 1),
      attributes: attributes ?? noAttributes,
      children: closed.children.length === 0 ? noChildren : closed.children,
      text: closed.text,
      start,
      end: text.lastIndexOf('>', parser.position - 1) + 1,
    }
    const parent = open.at(-1)
    if (parent) parent.children.push(element)
    else root = element
  })
  parser.write(text)
  // Closing makes the parser forget where it is.
  const lineBreaks = parser.line - 1
  parser.close()
  if (root === null) throw new ChantalError('UPSTREAM_INVALID', 'malformed XML: no root element')
  return { root, lineBreaks }
}

const noAttributes: ReadonlyMap<string, string> = new Map()
const noChildren: readonly XmlElement[] = []

interface OpenElement {
  readonly name: string
  attributes: Map<string, string> | null
  readonly children: XmlElement[]
  text: string
  readonly start: number
}

function tooLarge(problem: string): ChantalError {
  return new ChantalError('SIZE_LIMIT', `XML: ${problem} in one document or record`)
}
