import type { XmlElement } from './xml-element.ts'
import { toAsciiXml } from './xml-encoding.ts'

const tab = 0x09
const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const lessThan = 0x3c
const greaterThan = 0x3e

/**
 * The bytes without those elements, each with its line where it has one to itself. Every other byte stays, whether it is
 * a character or not; but UTF-16 becomes UTF-8.
 * @param text what `bytes` were decoded to, in which the elements have their places
 * @param elements not within one another
 */
export function withoutElements(
  bytes: Uint8Array,
  text: string,
  elements: readonly XmlElement[],
): Uint8Array {
  const source = toAsciiXml(bytes)
  const starts = new Positions(source, text, lessThan)
  const ends = new Positions(source, text, greaterThan)
  const parts: Uint8Array[] = []
  let at = 0
  for (const element of elements.toSorted((a, b) => a.start - b.start)) {
    const start = starts.find(element.start)
    const end = ends.find(element.end - 1) + 1
    const lineStart = startOfBlanks(source, start)
    const lineEnd = endOfBlanks(source, end)
    const ownsLine = lineStart !== null && lineEnd !== null && lineStart >= at
    parts.push(source.subarray(at, ownsLine ? lineStart : start))
    at = ownsLine ? lineEnd : end
  }
  return Buffer.concat([...parts, source.subarray(at)])
}

/**
 * Where an ASCII character of the text stands among the bytes. It is found by counting: the n-th there is the n-th here,
 * however many bytes the characters between take, and whatever the bytes became that are no characters.
 */
class Positions {
  readonly #bytes: Uint8Array
  readonly #text: string
  readonly #byte: number
  readonly #character: string
  #inText = -1
  #inBytes = -1

  constructor(bytes: Uint8Array, text: string, byte: number) {
    this.#bytes = bytes
    this.#text = text
    this.#byte = byte
    this.#character = String.fromCharCode(byte)
  }

  /** @param position of such a character; later ones are asked for later */
  find(position: number): number {
    while (this.#inText < position) {
      this.#inText = this.#text.indexOf(this.#character, this.#inText + 1)
      this.#inBytes = this.#bytes.indexOf(this.#byte, this.#inBytes + 1)
      if (this.#inText < 0 || this.#inBytes < 0) throw new Error('the text is not that of the bytes')
    }
    return this.#inBytes
  }
}

/** The start of the line where only blanks precede `from` on it. */
function startOfBlanks(bytes: Uint8Array, from: number): number | null {
  let at = from
  while (at > 0 && (bytes[at - 1] === space || bytes[at - 1] === tab)) at -= 1
  return at === 0 || bytes[at - 1] === lineFeed ? at : null
}

/** The start of the next line where only blanks follow `from`. */
function endOfBlanks(bytes: Uint8Array, from: number): number | null {
  let at = from
  while (bytes[at] === space || bytes[at] === tab || bytes[at] === carriageReturn) at += 1
  return bytes[at] === lineFeed ? at + 1 : null
}
