import type { ByteSource } from '../core/bytes.ts'
import { ChantalError } from '../core/errors.ts'

/** Bytes of a document's start in which its declaration is looked for. */
const declarationSize = 1024

// As names are written, where the web's decoder knows another or none.
const decoderNames: ReadonlyMap<string, string> = new Map([
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  // In this encoding the declaration itself would not have been readable as single bytes: it is wrong.
  ['utf-16', 'utf-8'],
  ['latin-1', 'windows-1252'],
])

// Others of the web's encodings have characters with bytes below 128.
const asciiEncoding = /^(?:utf-8|windows-\d+|iso-8859-\d+|koi8-[ru])$/

/**
 * The text of a whole document, by its byte order mark, else its declaration, else UTF-8. Bytes that are no characters
 * become U+FFFD: vendors ship them in descriptions. The byte order mark is left out.
 * @throws ChantalError `UPSTREAM_INVALID` for an encoding that is not known here
 */
export function decodeXml(bytes: Uint8Array): string {
  return new TextDecoder(detectEncoding(bytes)).decode(bytes)
}

/** A document whose markup can be found among its bytes, for a byte below 128 is always the ASCII character. */
export interface AsciiXml {
  readonly bytes: ByteSource
  /** As `TextDecoder` names it. */
  readonly encoding: string
}

/**
 * The document's own bytes; UTF-16, which is not such an encoding, becomes UTF-8 without a declared encoding.
 * @throws ChantalError `UPSTREAM_INVALID` for an encoding that is not known here
 */
export async function openAsciiXml(source: ByteSource): Promise<AsciiXml> {
  const chunks = source[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  let isEnded = false
  while (head.length < declarationSize && !isEnded) {
    const { done, value } = await chunks.next()
    if (done) isEnded = true
    else head = Buffer.concat([head, value])
  }
  const encoding = detectEncoding(head)
  const whole = joined(head, chunks)
  return encoding.startsWith('utf-16')
    ? { bytes: transcode(whole, encoding), encoding: 'utf-8' }
    : { bytes: whole, encoding }
}

/** {@link openAsciiXml} for a document that is whole in memory: its own bytes, or what they are in UTF-8. */
export function toAsciiXml(bytes: Uint8Array): Uint8Array {
  const encoding = detectEncoding(bytes)
  if (!encoding.startsWith('utf-16')) return bytes
  return Buffer.from(withoutDeclaredEncoding(new TextDecoder(encoding).decode(bytes)))
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): ByteSource {
  try {
    yield head
    for (;;) {
      const { done, value } = await rest.next()
      if (done) return
      yield value
    }
  } finally {
    await rest.return?.()
  }
}

async function* transcode(source: ByteSource, encoding: string): ByteSource {
  const decoder = new TextDecoder(encoding)
  let isStart = true
  for await (const chunk of source) {
    const text = decoder.decode(chunk, { stream: true })
    // The first chunk holds the whole declaration.
    yield Buffer.from(isStart ? withoutDeclaredEncoding(text) : text)
    isStart = false
  }
  yield Buffer.from(decoder.decode())
}

function withoutDeclaredEncoding(text: string): string {
  // A run of blanks is looked at from its first one alone.
  return text.replace(/^(<\?xml\s(?:[^>]*?[^>\s])??)\s+encoding\s*=\s*(?:"[^"]*"|'[^']*')/, '$1')
}

function detectEncoding(head: Uint8Array): string {
  const [a, b, c, d] = head
  if ((a === 0xfe && b === 0xff) || (a === 0 && b === 0x3c && c === 0 && d === 0x3f)) return 'utf-16be'
  if ((a === 0xff && b === 0xfe) || (a === 0x3c && b === 0 && c === 0x3f && d === 0)) return 'utf-16le'
  const start = Buffer.from(head.subarray(0, declarationSize)).toString('latin1')
  const declared = /^(?:\u00ef\u00bb\u00bf)?<\?xml\s[^>]*?\sencoding\s*=\s*["']([^"']*)["']/.exec(start)?.[1]
  const encoding = decoderEncoding((declared ?? 'utf-8').toLowerCase())
  if (encoding === null || !asciiEncoding.test(encoding)) {
    throw new ChantalError('UPSTREAM_INVALID', `XML in an unknown encoding: ${JSON.stringify(declared)}`)
  }
  return encoding
}

/** Takes ISO-8859-1 for the windows-1252 that it nearly always is, as the web does. `null` for what is not known. */
function decoderEncoding(name: string): string | null {
  try {
    return new TextDecoder(decoderNames.get(name) ?? name).encoding
  } catch {
    return null
  }
}
