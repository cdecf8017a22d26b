import { ChantalError } from '../core/errors.ts'
import type { XmlElement } from './xml-element.ts'
import { decodeXml } from './xml-encoding.ts'
import { buildXmlTree, strictParser } from './xml-parser.ts'

export { childOf, childrenOf, childText, type XmlElement } from './xml-element.ts'
export { decodeXml } from './xml-encoding.ts'
export { readXmlRecords, type XmlPart, type XmlRecord } from './xml-records.ts'
export { withoutElements } from './xml-removal.ts'
export { escapeXmlAttribute, escapeXmlText, unescapeXml } from './xml-text.ts'

/** Bytes, or characters, of a document that is read at once: what the root documents may have. */
const maxDocumentSize = 32 * 2 ** 20

/**
 * Reads a small document whole, and gives its root. UTF-8, or what a byte order mark or the declaration says;
 * bytes that are no characters become U+FFFD. A document type is allowed if it declares nothing itself; comments and
 * processing instructions are passed over.
 * @param what the document's name, put before messages
 * @throws ChantalError `UPSTREAM_INVALID` with line and column, `SIZE_LIMIT` beyond 32 MiB, a depth of 256 or a million
 * elements and attributes
 */
export function readXmlDocument(bytes: Uint8Array, what?: string): XmlElement {
  checkSize(bytes.byteLength, what)
  return readXmlText(decodeXml(bytes), what)
}

/** {@link readXmlDocument} for one that is decoded already: whatever encoding it declares is not looked at. */
export function readXmlText(text: string, what?: string): XmlElement {
  checkSize(text.length, what)
  return buildXmlTree(strictParser({ what }), text).root
}

function checkSize(size: number, what = 'XML document'): void {
  if (size <= maxDocumentSize) return
  throw new ChantalError('SIZE_LIMIT', `${what}: more than ${maxDocumentSize} bytes`, {
    details: { limit_bytes: maxDocumentSize },
  })
}
