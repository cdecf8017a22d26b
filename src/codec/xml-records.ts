import type { ByteSource } from '../core/bytes.ts'
import { ChantalError } from '../core/errors.ts'
import type { XmlElement } from './xml-element.ts'
import { openAsciiXml } from './xml-encoding.ts'
import { buildXmlTree, strictParser, type XmlPlace } from './xml-parser.ts'
import { type RawXmlPart, XmlRecordSplitter } from './xml-record-splitter.ts'

/** A piece of a document: the elements right under its root, and what stands around them. */
export type XmlPart = XmlFrame | XmlRecord

export interface XmlFrame {
  readonly kind: 'frame'
  readonly bytes: Uint8Array
}

export interface XmlRecord {
  readonly kind: 'record'
  readonly bytes: Uint8Array
  /** `bytes`, decoded. */
  readonly text: string
  /** Places are those of `text`. Prefixes declared at the root are not in it. */
  readonly element: XmlElement
}

/**
 * Reads a document of many records, one at a time. Every record is well formed by itself and the frame is without them,
 * so that leaving out or changing records cannot change what another part says. The bytes of all parts, joined, are the
 * input, or what it is in UTF-8 if it is in UTF-16. Encoding, document type and nodes as `readXmlDocument` has them; the
 * whole may be of any size.
 * @param roots names the root may have: an error page is told from an empty document
 * @param what the document's name, put before messages
 * @throws ChantalError `UPSTREAM_INVALID` with the line, `SIZE_LIMIT` for a record, or a tag or comment around them, above 16 MiB
 */
export async function* readXmlRecords(
  source: ByteSource,
  roots: readonly string[],
  what?: string,
): AsyncGenerator<XmlPart, void, undefined> {
  const { bytes, encoding } = await openAsciiXml(source)
  const splitter = new XmlRecordSplitter(what)
  const judge = new PartJudge(encoding, roots, what)
  for await (const chunk of bytes) for (const part of splitter.push(chunk)) yield judge.check(part)
  for (const part of splitter.finish()) yield judge.check(part)
  judge.end()
}

/** Has all that the splitter found read by strict parsers: one for the frame, and one for each record. */
class PartJudge {
  readonly #frameDecoder: InstanceType<typeof TextDecoder>
  readonly #recordDecoder: InstanceType<typeof TextDecoder>
  readonly #what: string | undefined
  readonly #frame: ReturnType<typeof strictParser>
  /** Line breaks in the records so far. */
  #recordLines = 0

  constructor(encoding: string, roots: readonly string[], what: string | undefined) {
    this.#what = what
    this.#frame = strictParser({ what, locate: ({ line }) => this.#placeOf(line) })
    this.#frameDecoder = new TextDecoder(encoding)
    this.#recordDecoder = new TextDecoder(encoding)
    let hasRoot = false
    this.#frame.on('opentagstart', ({ name }) => {
      if (!hasRoot && !roots.includes(name)) {
        const expected = `expected the root element ${roots.join(' or ')}, got ${name.slice(0, 100)}`
        throw new ChantalError('UPSTREAM_INVALID', `${what ?? 'XML document'}: ${expected}`)
      }
      hasRoot = true
    })
  }

  /** @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT` */
  check({ kind, bytes }: RawXmlPart): XmlPart {
    if (kind === 'frame') {
      this.#frame.write(this.#frameDecoder.decode(bytes, { stream: true }))
      return { kind, bytes }
    }
    const text = this.#recordDecoder.decode(bytes)
    const parser = strictParser({
      what: this.#what,
      locate: ({ line }) => this.#placeOf(this.#frame.line + line - 1),
    })
    const { root, lineBreaks } = buildXmlTree(parser, text)
    this.#recordLines += lineBreaks
    return { kind, bytes, text, element: root }
  }

  /** @throws ChantalError `UPSTREAM_INVALID` where the document is not complete */
  end(): void {
    this.#frame.write(this.#frameDecoder.decode()).close()
  }

  // Columns would be those of a part.
  #placeOf(line: number): XmlPlace {
    return { line: line + this.#recordLines }
  }
}
