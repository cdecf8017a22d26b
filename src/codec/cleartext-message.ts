import { ChantalError } from '../core/errors.ts'

/** A message and its armored signature, apart. */
export interface CleartextMessage {
  /** What the signature covers: lines joined by `\n`, dashes unescaped, no blanks at line ends, no final line end. */
  readonly text: string
  readonly signature: string
}

const beginMessage = '-----BEGIN PGP SIGNED MESSAGE-----'
const beginSignature = '-----BEGIN PGP SIGNATURE-----'
const endSignature = '-----END PGP SIGNATURE-----'

/**
 * Takes apart a message with its signature around it (`InRelease`, Helm provenance). Strict: what stands outside the one
 * signed block could be taken for signed by a lenient reader, so any such text is refused.
 * @throws ChantalError `SIGNATURE_MISSING` where no signed block begins, `SIGNATURE_INVALID`
 * @see RFC 9580, 7
 */
export function splitCleartextMessage(message: string): CleartextMessage {
  const lines = message.split('\n').map(withoutTrailingBlanks)
  const first = lines.findIndex((line) => line !== '')
  if (!lines.includes(beginMessage)) throw missing('the message is not signed')
  if (lines[first] !== beginMessage) throw refused('text stands before the signed message')

  const body = skipHashHeaders(lines, first + 1)
  const signature = lines.findIndex((line, index) => index >= body && isDashed(line))
  if (signature === -1 || lines[signature] !== beginSignature)
    throw refused('the signed text is not followed by a signature')
  const end = lines.indexOf(endSignature, signature)
  if (end === -1) throw refused('the signature does not end')
  if (lines.some((line, index) => index > end && line !== ''))
    throw refused('text stands after the signature')

  return {
    text: lines.slice(body, signature).map(unescapeDash).join('\n'),
    signature: lines.slice(signature, end + 1).join('\n'),
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

function withoutTrailingBlanks(line: string): string {
  let end = line.length
  while (end > 0 && ' \t\r'.includes(line.charAt(end - 1))) end--
  return line.slice(0, end)
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
