import { SaxesParser } from 'saxes'
import { ChantalError } from '../core/errors.ts'
import type { XmlElement } from './xml-element.ts'

const maxDepth = 256
/** Elements and texts in one tree: a node costs many times the four bytes of `<a/>`. */
const maxNodes = 1_000_000

const noAttributes: ReadonlyMap<string, string> = new Map()
const noChildren: readonly string[] = []

interface OpenElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: (XmlElement | string)[]
  text: string
}

/** What the builder tells; positions are UTF-16 code units from the start of the document. */
export interface XmlBuilderEvents {
  /**
   * An element opens that is in no tree; depth 0 is the root, `position` lies behind its name. Give `true` to build its tree.
   */
  readonly onOpen: (name: string, depth: number, position: number) => boolean
  /** A tree is complete and ends at `position`. */
  readonly onTree: (element: XmlElement, position: number) => void
  /** Something in no tree has ended at `position`: what lies before is of no further interest. */
  readonly onPassed: (position: number) => void
}

/** Builds trees of chosen elements from text that is written piece by piece. Strict; no entity but XML's own five. */
export class XmlBuilder {
  readonly #parser = new SaxesParser()
  readonly #events: XmlBuilderEvents
  /** The open elements of the tree that is built, the outermost first; empty outside. */
  readonly #open: OpenElement[] = []
  #isBuilding = false
  #depth = 0
  #nodes = 0

  constructor(events: XmlBuilderEvents) {
    this.#events = events
    const parser = this.#parser
    parser.on('error', (error) => {
      // The parser puts the position before its message.
      const message = error.message.replace(/^\d+:\d+: /, '')
      throw this.#malformed(message.replace(/\.$/, ''), error)
    })
    parser.on('doctype', (doctype) => {
      // Quoted identifiers may hold any character.
      if (doctype.replaceAll(/"[^"]*"|'[^']*'/g, '').includes('[')) {
        throw this.#malformed('a document type with declarations of its own is not allowed')
      }
      this.#passed()
    })
    parser.on('opentagstart', (tag) => this.#start(tag.name))
    parser.on('opentag', (tag) => this.#complete(tag.name, tag.attributes))
    parser.on('text', (text) => this.#add(text))
    parser.on('cdata', (text) => this.#add(text))
    parser.on('comment', () => this.#passed())
    parser.on('processinginstruction', () => this.#passed())
    parser.on('closetag', () => this.#close())
  }

  /** @throws ChantalError `UPSTREAM_INVALID` with line and column, `SIZE_LIMIT` for what is too deep or has too many nodes */
  write(text: string): void {
    this.#parser.write(text)
  }

  /** Ends the document. @throws ChantalError `UPSTREAM_INVALID` for one that is not complete */
  end(): void {
    this.#parser.close()
  }

  #start(name: string): void {
    if (this.#depth >= maxDepth) throw this.#tooLarge(`more than ${maxDepth} elements in one another`)
    if (!this.#isBuilding) {
      this.#nodes = 0
      this.#isBuilding = this.#events.onOpen(name, this.#depth, this.#parser.position)
    }
    this.#depth++
  }

  #complete(name: string, attributes: Readonly<Record<string, string>>): void {
    if (!this.#isBuilding) {
      this.#passed()
      return
    }
    const entries = Object.entries(attributes)
    this.#count(1 + entries.length)
    this.#open.push({
      name,
      attributes: entries.length === 0 ? noAttributes : new Map(entries),
      children: [],
      text: '',
    })
  }

  #add(text: string): void {
    const element = this.#open.at(-1)
    // A text ends with the `<` after it, which is read already and belongs to what follows.
    if (element === undefined) {
      this.#passed(this.#parser.position - 1)
      return
    }
    this.#count(1)
    element.children.push(text)
    element.text += text
  }

  #close(): void {
    this.#depth--
    const open = this.#open.pop()
    if (open === undefined) {
      this.#passed()
      return
    }
    const { name, attributes, text } = open
    const children = open.children.length === 0 ? noChildren : open.children
    const element = { name, local: name.slice(name.indexOf(':') + 1), attributes, children, text }
    const parent = this.#open.at(-1)
    if (parent !== undefined) parent.children.push(element)
    else {
      this.#isBuilding = false
      this.#events.onTree(element, this.#parser.position)
    }
  }

  #passed(position = this.#parser.position): void {
    if (!this.#isBuilding) this.#events.onPassed(position)
  }

  #count(nodes: number): void {
    this.#nodes += nodes
    if (this.#nodes > maxNodes)
      throw this.#tooLarge(`more than ${maxNodes} elements and texts in one element`)
  }

  #malformed(reason: string, cause?: unknown): Error {
    const { line, column } = this.#parser
    return new ChantalError(
      'UPSTREAM_INVALID',
      `malformed XML at line ${line}, column ${column}: ${reason}`,
      {
        cause,
        details: { format: 'xml', line, column },
      },
    )
  }

  #tooLarge(reason: string): Error {
    const { line, column } = this.#parser
    return new ChantalError('SIZE_LIMIT', `XML at line ${line}, column ${column}: ${reason}`, {
      details: { line, column },
    })
  }
}
