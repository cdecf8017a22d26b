import { ChantalError } from '../core/errors.ts'
import { withoutTrailing } from '../core/trailing.ts'

/** A message and its armored signatures, apart. */
export interface CleartextMessage {
  /** Lines joined by `\n`, dashes unescaped, no blanks at line ends, no final line end. Bytes that are not UTF-8 are U+FFFD. */
  readonly text: string
  /** What the signatures cover: the bytes of the text, with the line ends that are hashed. */
  readonly signed: Uint8Array
  /** One block or several. */
  readonly signature: string
}

const beginMessage = '-----BEGIN PGP SIGNED MESSAGE-----'
const beginSignature = '-----BEGIN PGP SIGNATURE-----'
const endSignature = '-----END PGP SIGNATURE-----'

/**
 * Takes apart a message with its signatures around it (`InRelease`, Helm provenance). As strict as apt: what stands outside the one
 * signed block could be taken for signed by a lenient reader, so any such line is refused, be it empty. Several blocks of
 * signatures may follow each other.
 * @throws ChantalError `SIGNATURE_MISSING` where no signed block begins, `SIGNATURE_INVALID`
 * @see RFC 9580, 7, and apt-pkg/contrib/gpgv.cc, `SplitClearSignedFile`
 */
export function splitCleartextMessage(message: Uint8Array): CleartextMessage {
  // One character a byte: a signature covers bytes, whatever encoding they are of.
  const latin1 = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('latin1')
  const lines = latin1
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => withoutTrailing(line, ' \t\r'))
  if (!lines.includes(beginMessage)) throw missing('the message is not signed')
  if (lines[0] !== beginMessage) throw refused('something stands before the signed message')

  const body = skipHashHeaders(lines, 1)
  const signature = lines.findIndex((line, index) => index >= body && isDashed(line))
  if (signature === -1 || lines[signature] !== beginSignature)
    throw refused('the signed text is not followed by a signature')
  checkSignatureBlocks(lines, signature)

  const text = lines.slice(body, signature).map(unescapeDash)
  return {
    text: Buffer.from(text.join('\n'), 'latin1').toString('utf8'),
    signed: Buffer.from(text.join('\r\n'), 'latin1'),
    signature: lines.slice(signature).join('\n'),
  }
}

/**
 * Whether a text says what was signed: a signature around a text covers no blanks at the ends of its lines, nor its last line breaks.
 * Line by line up to the first that differs, for the text itself is signed by nobody, and in pieces may be more than the memory.
 */
export function isSameText(text: string, signed: string): boolean {
  const [whole, wanted] = [withoutTrailing(text, ' \t\r\n'), withoutTrailing(signed, ' \t\r\n')]
  let [at, wantedAt] = [0, 0]
  for (;;) {
    const [end, wantedEnd] = [whole.indexOf('\n', at), wanted.indexOf('\n', wantedAt)]
    if (lineUpTo(whole, at, end) !== lineUpTo(wanted, wantedAt, wantedEnd)) return false
    if (end < 0 || wantedEnd < 0) return end === wantedEnd
    at = end + 1
    wantedAt = wantedEnd + 1
  }
}

function lineUpTo(text: string, start: number, end: number): string {
  return withoutTrailing(text.slice(start, end < 0 ? text.length : end), ' \t\r')
}

/** To the last line nothing but blocks of signatures, one after another. */
function checkSignatureBlocks(lines: readonly string[], from: number): void {
  for (let start = from; start < lines.length; ) {
    if (lines[start] !== beginSignature) throw refused('something stands after the signature')
    const end = lines.indexOf(endSignature, start)
    if (end === -1) throw refused('the signature does not end')
    start = end + 1
  }
}

/** @returns the index of the first line of text */
function skipHashHeaders(lines: readonly string[], from: number): number {
  let index = from
  for (; lines[index] !== ''; index++) {
    const line = lines[index]
    if (line === undefined) throw refused('the signed message is cut short')
    // Readers differ on other headers ("NotDashEscaped" changes what is signed), so there are none.
    if (!/^Hash: [A-Za-z0-9, -]+$/.test(line))
      throw refused('the signed message has a header that is not "Hash"')
  }
  return index + 1
}

/** A line that begins with a dash is escaped when it is text, so any other is a line of the frame. */
function isDashed(line: string): boolean {
  return line.startsWith('-') && !line.startsWith('- ')
}

function unescapeDash(line: string): string {
  return line.startsWith('- ') ? line.slice(2) : line
}

function missing(reason: string): ChantalError {
  return new ChantalError('SIGNATURE_MISSING', reason, {
    hint: 'Look at what upstream serves in its place: an error page is a common cause.',
  })
}

function refused(reason: string): ChantalError {
  return new ChantalError('SIGNATURE_INVALID', reason, {
    hint: 'Fetch the file again; if it stays so, tell upstream.',
  })
}
