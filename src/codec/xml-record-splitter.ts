import { ChantalError } from '../core/errors.ts'

/** In bytes: of one record, and of one tag or comment around them. */
const maxPartSize = 16 * 1024 * 1024

/** A piece of the document, not yet judged. */
export interface RawXmlPart {
  readonly kind: 'frame' | 'record'
  readonly bytes: Uint8Array
}

/**
 * Finds where the elements under the root begin and end. It knows only as much of XML as that takes: what it takes for a
 * record is then judged by a strict parser. The encoding must be one in which a byte below 128 is always the ASCII character.
 */
export class XmlRecordSplitter {
  #buffer: Buffer = Buffer.alloc(0)
  /** Bytes of `#buffer` in use. */
  #filled = 0
  /** Up to where tokens are read. */
  #at = 0
  /** What an unfinished token must have grown to before it is worth another look: doubling keeps the work linear. */
  #retryAt = 0
  #depth = 0
  #recordStart = -1
  #frameStart = 0
  readonly #what: string | undefined

  /** @param what the document's name, put before messages */
  constructor(what?: string) {
    this.#what = what
  }

  *push(chunk: Uint8Array): Generator<RawXmlPart> {
    this.#append(chunk)
    if (this.#filled < this.#retryAt) return
    yield* this.#read()
    this.#checkSize(this.#filled - (this.#recordStart < 0 ? this.#at : this.#recordStart))
    this.#retryAt = Math.min(this.#at + 2 * (this.#filled - this.#at), this.#at + maxPartSize + 1)
  }

  *finish(): Generator<RawXmlPart> {
    yield* this.#read()
    if (this.#recordStart >= 0)
      throw new ChantalError('UPSTREAM_INVALID', this.#named('XML ends within an element'))
    if (this.#filled > this.#frameStart) {
      yield { kind: 'frame', bytes: this.#buffer.subarray(this.#frameStart, this.#filled) }
    }
  }

  /** The parts handed out are views; they stay as they are, for a new buffer is taken rather than the old one moved. */
  #append(chunk: Uint8Array): void {
    if (this.#filled + chunk.length > this.#buffer.length) {
      const keepFrom = Math.min(
        this.#frameStart,
        this.#at,
        this.#recordStart < 0 ? this.#at : this.#recordStart,
      )
      const kept = this.#filled - keepFrom
      const buffer = Buffer.allocUnsafe(Math.max(256 * 1024, 2 * (kept + chunk.length)))
      this.#buffer.copy(buffer, 0, keepFrom, this.#filled)
      this.#buffer = buffer
      this.#filled = kept
      this.#at -= keepFrom
      this.#retryAt -= keepFrom
      this.#frameStart -= keepFrom
      if (this.#recordStart >= 0) this.#recordStart -= keepFrom
    }
    this.#buffer.set(chunk, this.#filled)
    this.#filled += chunk.length
  }

  *#read(): Generator<RawXmlPart> {
    const bytes = this.#buffer.subarray(0, this.#filled)
    while (this.#at < bytes.length) {
      if (bytes[this.#at] !== lessThan) {
        const next = bytes.indexOf(lessThan, this.#at)
        this.#at = next < 0 ? bytes.length : next
        continue
      }
      const end = endOfToken(bytes, this.#at)
      if (end < 0) break
      const start = this.#at
      const second = bytes[start + 1]
      this.#at = end
      if (second === exclamation || second === question) continue
      if (second === slash) this.#depth -= 1
      else {
        if (this.#depth === 1) {
          if (start > this.#frameStart)
            yield { kind: 'frame', bytes: bytes.subarray(this.#frameStart, start) }
          this.#frameStart = start
          this.#recordStart = start
        }
        if (bytes[end - 2] !== slash) this.#depth += 1
      }
      if (this.#depth === 1 && this.#recordStart >= 0) {
        this.#checkSize(end - this.#recordStart)
        yield { kind: 'record', bytes: bytes.subarray(this.#recordStart, end) }
        this.#recordStart = -1
        this.#frameStart = end
      }
    }
    if (this.#recordStart < 0 && this.#at > this.#frameStart) {
      yield { kind: 'frame', bytes: bytes.subarray(this.#frameStart, this.#at) }
      this.#frameStart = this.#at
    }
  }

  #checkSize(size: number): void {
    if (size <= maxPartSize) return
    const problem = `a part of an XML document is larger than ${maxPartSize} bytes`
    throw new ChantalError('SIZE_LIMIT', this.#named(problem))
  }

  #named(problem: string): string {
    return this.#what === undefined ? problem : `${this.#what}: ${problem}`
  }
}

const exclamation = 0x21
const doubleQuote = 0x22
const singleQuote = 0x27
const slash = 0x2f
const lessThan = 0x3c
const greaterThan = 0x3e
const question = 0x3f

/** Behind the markup that starts at `start`; -1 where it is not whole. */
function endOfToken(bytes: Buffer, start: number): number {
  if (bytes.length < start + 9 && bytes.indexOf(greaterThan, start) < 0) return -1
  if (startsWith(bytes, start, '<!--')) return endBehind(bytes, '-->', start + 4)
  if (startsWith(bytes, start, '<![CDATA[')) return endBehind(bytes, ']]>', start + 9)
  if (bytes[start + 1] === question) return endBehind(bytes, '?>', start + 2)
  for (let at = start + 1; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === greaterThan) return at + 1
    if (byte !== doubleQuote && byte !== singleQuote) continue
    at = bytes.indexOf(byte, at + 1)
    if (at < 0) return -1
  }
  return -1
}

function startsWith(bytes: Buffer, start: number, text: string): boolean {
  return bytes.toString('latin1', start, start + text.length) === text
}

function endBehind(bytes: Buffer, text: string, from: number): number {
  const at = bytes.indexOf(text, from, 'latin1')
  return at < 0 ? -1 : at + text.length
}
