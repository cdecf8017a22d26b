import { SaxesParser } from 'saxes'
import { ChantalError } from '../../../core/errors.ts'

/** An element of a small document, with its prefix as written. */
export interface XmlElement {
  readonly name: string
  /** By name with prefix, in order. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** Its own text, CDATA included, the pieces joined; not that of its children. */
  readonly text: string
}

/**
 * Reads a whole document, strictly. For small ones: the caller bounds its size.
 * @param what the document's name, for messages
 * @throws ChantalError `UPSTREAM_INVALID` where it is not well-formed XML in UTF-8
 */
export function readXmlElement(bytes: Uint8Array, what: string): XmlElement {
  const holder: OpenElement = { name: '', attributes: new Map(), children: [], texts: [], text: '' }
  const open = [holder]
  const refuse = (error: unknown): never => {
    const problem = error instanceof Error ? error.message : String(error)
    throw new ChantalError('UPSTREAM_INVALID', `${what}: ${problem}`, { cause: error })
  }
  const addText = (text: string): void => {
    open.at(-1)?.texts.push(text)
  }
  // XML 1.1 allows control characters, which what we write, 1.0, could not hold.
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true })
  parser.on('error', refuse)
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('opentag', (tag) => {
    if (open.length > maxDepth) refuse(new Error(`elements nested deeper than ${maxDepth}`))
    const attributes = new Map(Object.values(tag.attributes).map(({ name, value }) => [name, value]))
    const element: OpenElement = { name: tag.name, attributes, children: [], texts: [], text: '' }
    open.at(-1)?.children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => {
    const element = open.pop()
    if (element !== undefined) element.text = element.texts.join('')
  })
  parser.write(decode(bytes, refuse)).close()
  const [root] = holder.children
  return root ?? refuse(new Error('no root element'))
}

/** The children with that name, in order. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? []
}

interface OpenElement extends XmlElement {
  readonly children: OpenElement[]
  readonly texts: string[]
  text: string
}

const maxDepth = 32

function decode(bytes: Uint8Array, refuse: (error: unknown) => never): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    return refuse(error)
  }
}
