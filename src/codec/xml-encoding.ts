import type { ByteSource } from '../core/bytes.ts'
import { ChantalError } from '../core/errors.ts'

/** Bytes of a document's start in which its declaration is looked for. */
const declarationSize = 1024

// As names are written; the web's decoder takes ISO-8859-1 for the windows-1252 that it nearly always is.
const decoderNames: ReadonlyMap<string, string> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  // In this encoding the declaration itself would not have been readable as single bytes: it is wrong.
  ['utf-16', 'utf-8'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['latin-1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
  ['iso-8859-15', 'iso-8859-15'],
])

/**
 * The text of an XML document, by its byte order mark, else its declaration, else UTF-8. Bytes that are no characters
 * become U+FFFD: vendors ship them in descriptions. The byte order mark is left out.
 * @throws ChantalError `UPSTREAM_INVALID` for an encoding that is not known here
 */
export async function* decodeXml(source: ByteSource): AsyncGenerator<string, void> {
  let head: Uint8Array = new Uint8Array()
  let decoder: InstanceType<typeof TextDecoder> | undefined
  for await (const chunk of source) {
    if (decoder !== undefined) {
      yield decoder.decode(chunk, { stream: true })
      continue
    }
    head = head.byteLength === 0 ? chunk : Buffer.concat([head, chunk])
    if (head.byteLength < declarationSize) continue
    decoder = new TextDecoder(detectEncoding(head))
    yield decoder.decode(head, { stream: true })
  }
  if (decoder === undefined) yield decodeXmlBytes(head)
  else yield decoder.decode()
}

/** {@link decodeXml} for a document that is whole in memory. */
export function decodeXmlBytes(bytes: Uint8Array): string {
  return new TextDecoder(detectEncoding(bytes)).decode(bytes)
}

function detectEncoding(head: Uint8Array): string {
  const [a, b, c, d] = head
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c && c === 0 && d === 0x3f)) return 'utf-16be'
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0 && c === 0x3f && d === 0)) return 'utf-16le'
  const start = Buffer.from(head.subarray(0, declarationSize)).toString('latin1')
  const declared = /^(?:\u00ef\u00bb\u00bf)?<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(start)?.[1]
  const name = decoderNames.get((declared ?? 'utf-8').toLowerCase())
  if (name === undefined) {
    throw new ChantalError('UPSTREAM_INVALID', `XML in an unknown encoding: ${JSON.stringify(declared)}`)
  }
  return name
}
