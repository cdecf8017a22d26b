import { InputBuffer } from '../../../codec/input-buffer.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { ChantalError } from '../../../core/errors.ts'
import { ChunkGatherer, chunkSize } from './chunk-gatherer.ts'

/**
 * Makes a Contents index (`Contents-ARCH`, `Contents-udeb-ARCH`, `Contents-source`; decompressed) speak of published packages
 * alone: of each line's packages those that are published stay, and a line that loses all goes. The rest is verbatim; where
 * every package is published, so is the whole. A header, which older archives put in front, stays: some readers wait for it.
 *
 * Chunks are some 256 KiB, and none comes where nothing is left.
 * @param keeps asked with a name without its area and section, once for each list of packages, at times again
 * @throws ChantalError `SIZE_LIMIT` for lines much longer than 1 MiB
 * @see https://wiki.debian.org/DebianRepository/Format#A.22Contents.22_indices
 */
export async function* pruneContents(
  source: ByteSource,
  keeps: (packageName: string) => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const lists = new PackageLists(keeps)
  const output = new ChunkGatherer()
  await using input = new InputBuffer(source)
  await input.fill(maxHeaderSize)
  const header = headerLength(bufferOf(input.bytes.subarray(0, maxHeaderSize)))
  if (header > 0) {
    const full = output.add(input.bytes.subarray(0, header))
    if (full) yield full
    input.skip(header)
  }
  while (input.length > 0 || !input.isComplete) {
    const lines = await wholeLines(input)
    for (const piece of prunedPieces(lines, lists)) {
      const full = output.add(piece)
      if (full) yield full
    }
    input.skip(lines.byteLength)
  }
  const rest = output.rest()
  if (rest) yield rest
}

const maxHeaderSize = 64 * 1024
const maxLineSize = 1024 * 1024
const newline = 0x0a

/** Free text, up to a line with the titles of the columns. No package is called LOCATION, so this line is no entry. */
function headerLength(start: Buffer): number {
  const titles = /^FILE[ \t]+LOCATION[ \t\r]*\n/m.exec(start.toString('latin1'))
  return titles ? titles.index + titles[0].length : 0
}

/** A view of all whole lines at hand, valid until the next call; at the end of the source the last may lack its line break. */
async function wholeLines(input: InputBuffer): Promise<Buffer> {
  for (const wanted of [chunkSize, maxLineSize + 1]) {
    await input.fill(wanted)
    const bytes = bufferOf(input.bytes)
    if (input.isComplete) return bytes
    const end = bytes.lastIndexOf(newline) + 1
    if (end > 0) return bytes.subarray(0, end)
  }
  throw new ChantalError('SIZE_LIMIT', `Contents: a line of more than ${maxLineSize} bytes`, {
    details: { limit_bytes: maxLineSize },
  })
}

/** What is left of the lines, in order; neighbouring lines that stay as they are come as one piece. */
function* prunedPieces(bytes: Buffer, lists: PackageLists): Generator<Uint8Array, void, undefined> {
  let untouched = 0
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(newline, start)
    const next = found === -1 ? bytes.length : found + 1
    const listEnd = endOfText(bytes, start, next)
    const listStart = startOfLastColumn(bytes, start, listEnd)
    const left = listStart > start ? lists.pruned(bytes, listStart, listEnd) : 'all'
    if (left !== 'all') {
      if (untouched < start) yield bytes.subarray(untouched, start)
      untouched = next
      if (left !== 'none') {
        yield bytes.subarray(start, listStart)
        yield left
        yield bytes.subarray(listEnd, next)
      }
    }
    start = next
  }
  if (untouched < bytes.length) yield bytes.subarray(untouched)
}

function endOfText(bytes: Buffer, start: number, end: number): number {
  let at = end
  while (at > start && isBlank(bytes[at - 1])) at -= 1
  return at
}

function startOfLastColumn(bytes: Buffer, start: number, end: number): number {
  let at = end
  while (at > start && !isBlank(bytes[at - 1])) at -= 1
  return at
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === newline || byte === 0x0d
}

/** What is left of a line's list of packages: the list as it was, nothing, or a shorter list. */
type Remainder = 'all' | 'none' | Uint8Array

/** Decides on lists of packages. There are far fewer lists than lines, and a list often follows itself. */
class PackageLists {
  readonly #keeps: (packageName: string) => boolean
  readonly #decided = new Map<string, Remainder>()
  #last: Uint8Array = new Uint8Array()
  #lastRemainder: Remainder = 'all'

  constructor(keeps: (packageName: string) => boolean) {
    this.#keeps = keeps
  }

  pruned(bytes: Buffer, start: number, end: number): Remainder {
    if (this.#isLast(bytes, start, end)) return this.#lastRemainder
    const list = bytes.toString('latin1', start, end)
    const remainder = this.#decided.get(list) ?? this.#decide(list)
    this.#last = Uint8Array.prototype.slice.call(bytes, start, end)
    this.#lastRemainder = remainder
    return remainder
  }

  #isLast(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#last
    if (last.length !== end - start) return false
    for (let at = last.length - 1; at >= 0; at -= 1) if (last[at] !== bytes[start + at]) return false
    return true
  }

  #decide(list: string): Remainder {
    const items = list.split(',')
    const left = items.filter((item) => this.#keeps(item.slice(item.lastIndexOf('/') + 1)))
    const remainder =
      left.length === items.length
        ? 'all'
        : left.length === 0
          ? 'none'
          : Uint8Array.from(Buffer.from(left.join(','), 'latin1'))
    if (list.length <= maxRememberedLength) {
      if (this.#decided.size >= maxRemembered) this.#decided.clear()
      this.#decided.set(list, remainder)
    }
    return remainder
  }
}

/** Debian's largest index has some 100,000 different lists. */
const maxRemembered = 200_000
const maxRememberedLength = 512

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
