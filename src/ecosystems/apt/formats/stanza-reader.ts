import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'
import { asBuffer, parseStanza } from './stanza.ts'

/**
 * Splits an index into its stanzas, in its order, a window of at least 256 KiB at a time; no batch is empty. Time is linear,
 * memory bounded by the largest stanza.
 *
 * As apt does, only an empty line ends a stanza, be it with carriage returns; one of blanks goes on with the field above it.
 * A stanza comes with the line break of its last line where the source has that one, without the empty line. Paragraphs of
 * nothing but white space are left out. The bytes are never written to again, but they are a window on a larger buffer: copy
 * what is kept.
 * @param what names the index in errors
 * @throws ChantalError `UPSTREAM_INVALID` for a stanza of more than 16 MiB
 * @see apt-pkg/tagfile.cc
 */
export async function* readStanzas(
  source: ByteSource,
  what: string,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  let pending: Uint8Array[] = []
  let pendingSize = 0
  let wantedSize = windowSize
  for await (const chunk of source) {
    pending.push(chunk)
    pendingSize += chunk.byteLength
    if (pendingSize < wantedSize) continue

    const { stanzas, rest } = splitStanzas(Buffer.concat(pending, pendingSize), what)
    if (stanzas.length > 0) yield stanzas
    pending = [rest]
    pendingSize = rest.byteLength
    // A large unfinished stanza is searched again only when there is twice as much of it.
    wantedSize = Math.max(windowSize, 2 * pendingSize)
  }

  const { stanzas, rest } = splitStanzas(Buffer.concat(pending, pendingSize), what)
  const last = isBlank(rest) ? stanzas : [...stanzas, rest]
  if (last.length > 0) yield last
}

/** Fewer than this are not worth a turn of the event loop. In bytes. */
const windowSize = 256 * 1024

const maxStanzaSize = 16 * 1024 * 1024

interface Split {
  readonly stanzas: readonly Uint8Array[]
  /** What has no end yet. */
  readonly rest: Buffer
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
const emptyLine = Buffer.from('\n\n')

function splitStanzas(bytes: Buffer, what: string): Split {
  const stanzas: Buffer[] = []
  const endOfStanza = bytes.includes(carriageReturn) ? endBeforeAnyEmptyLine : endBeforeEmptyLine
  let start = afterEmptyLines(bytes, 0)
  for (;;) {
    const end = endOfStanza(bytes, start)
    const stanza = bytes.subarray(start, end < 0 ? bytes.byteLength : end)
    if (stanza.byteLength > maxStanzaSize) throw tooLarge(what)
    if (end < 0) return { stanzas, rest: stanza }
    if (!isBlank(stanza)) stanzas.push(stanza)
    start = afterEmptyLines(bytes, end)
  }
}

/** Whether bytes are one stanza, as {@link readStanzas} gives it: another one that follows them is another one. */
export function isOneStanza(bytes: Uint8Array): boolean {
  const stanza = asBuffer(bytes)
  if (stanza.byteLength === 0 || stanza.byteLength > maxStanzaSize) return false
  if (afterEmptyLines(stanza, 0) > 0 || endBeforeAnyEmptyLine(stanza, 0) >= 0) return false
  try {
    return parseStanza(stanza).fields.length > 0
  } catch (error) {
    if (isChantalError(error, 'UPSTREAM_INVALID')) return false
    throw error
  }
}

/** After the last line's break; negative where the stanza's end is not there yet. */
function endBeforeEmptyLine(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(emptyLine, from)
  return found < 0 ? -1 : found + 1
}

/** The same, where carriage returns may stand in the empty line. */
function endBeforeAnyEmptyLine(bytes: Buffer, from: number): number {
  let lineEnd = bytes.indexOf(lineFeed, from)
  while (lineEnd >= 0) {
    let next = lineEnd + 1
    while (bytes[next] === carriageReturn) next += 1
    if (bytes[next] === lineFeed) return lineEnd + 1
    lineEnd = bytes.indexOf(lineFeed, next)
  }
  return -1
}

function afterEmptyLines(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === lineFeed || bytes[at] === carriageReturn) at += 1
  return at
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))
}

function tooLarge(what: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `${what}: a stanza of more than ${maxStanzaSize} bytes`)
}
