import type { BitReader } from './bzip2-bits.ts'
import { HuffmanTable } from './bzip2-huffman.ts'
import { invalidData } from './invalid-data.ts'

const runA = 0
const runB = 1
const symbolsPerGroup = 50
const outputSize = 256 * 1024

/** One block of a bzip2 stream: read from its bits, then decoded to bytes. Reused from block to block. */
export class Bzip2Block {
  /** In the low byte the last column of the sorted rotations, above it the index of the next byte. */
  readonly #table: Uint32Array
  #length = 0
  #origin = 0
  #checksum = 0

  /** @param level 1 to 9: hundreds of thousands of bytes that a block may hold */
  constructor(level: number) {
    this.#table = new Uint32Array(level * 100_000)
  }

  /** Of the bytes that `decode` gave. */
  get checksum(): number {
    return this.#checksum
  }

  /** Reads the block that follows its magic number and checksum. @throws ChantalError `UPSTREAM_INVALID` */
  read(bits: BitReader): void {
    if (bits.read(1) === 1) throw invalidData('bzip2', 'corrupt', 'randomised blocks are not supported')
    this.#origin = bits.read(24)
    const used = readUsedBytes(bits)
    const tableCount = bits.read(3)
    if (tableCount < 2 || tableCount > 6) throw invalidData('bzip2', 'corrupt', 'number of code tables')
    const selectors = readSelectors(bits, tableCount)
    const tables = Array.from({ length: tableCount }, () => new HuffmanTable(bits, used.length + 2))
    const counts = this.#readSymbols(bits, used, selectors, tables)
    if (this.#origin >= this.#length) throw invalidData('bzip2', 'corrupt', 'origin pointer')
    this.#link(counts)
  }

  /** Undoes the run lengths and gives the block's bytes, in chunks that are the caller's to keep. */
  *decode(): Generator<Uint8Array> {
    const table = this.#table
    let output = new Uint8Array(outputSize)
    let filled = 0
    let checksum = 0xffffffff
    let entry = (table[this.#origin] ?? 0) >>> 8
    let previous = -1
    let run = 0
    for (let left = this.#length; left > 0; left--) {
      const value = table[entry] ?? 0
      entry = value >>> 8
      const byte = value & 0xff
      let repeat = 1
      let written = byte
      if (run === 4) {
        // Four equal bytes are followed by the number of further ones.
        repeat = byte
        written = previous
        run = 0
        previous = -1
      } else {
        run = byte === previous ? run + 1 : 1
        previous = byte
      }
      if (filled + repeat > outputSize) {
        yield output.subarray(0, filled)
        output = new Uint8Array(outputSize)
        filled = 0
      }
      for (; repeat > 0; repeat--) {
        output[filled++] = written
        checksum = (checksum << 8) ^ (checksumTable[(checksum >>> 24) ^ written] ?? 0)
      }
    }
    this.#checksum = ~checksum >>> 0
    if (filled > 0) yield output.subarray(0, filled)
  }

  /** Undoes Huffman codes, zero runs and move-to-front. Gives how often each byte occurs. */
  #readSymbols(
    bits: BitReader,
    used: readonly number[],
    selectors: Uint8Array,
    tables: readonly HuffmanTable[],
  ): Uint32Array {
    const table = this.#table
    const counts = new Uint32Array(256)
    const front = Uint8Array.from(used)
    const endOfBlock = used.length + 1
    let length = 0
    let runLength = 0
    let runWeight = 1
    for (const selector of selectors) {
      const codes = tables[selector]
      if (codes === undefined) break
      for (let left = symbolsPerGroup; left > 0; left--) {
        const symbol = codes.decode(bits)
        if (symbol === runA || symbol === runB) {
          runLength += runWeight << symbol
          runWeight *= 2
          if (runLength > table.length) throw tooLong()
          continue
        }
        if (runLength > 0) {
          const byte = front[0] ?? 0
          if (length + runLength > table.length) throw tooLong()
          table.fill(byte, length, length + runLength)
          counts[byte] = (counts[byte] ?? 0) + runLength
          length += runLength
          runLength = 0
          runWeight = 1
        }
        if (symbol === endOfBlock) {
          this.#length = length
          return counts
        }
        if (length >= table.length) throw tooLong()
        const index = symbol - 1
        const byte = front[index] ?? 0
        front.copyWithin(1, 0, index)
        front[0] = byte
        table[length++] = byte
        counts[byte] = (counts[byte] ?? 0) + 1
      }
    }
    throw invalidData('bzip2', 'corrupt', 'a block without end')
  }

  /** Notes above each byte where the next one stands (the inverse Burrows-Wheeler transform). */
  #link(counts: Uint32Array): void {
    const table = this.#table
    const next = new Uint32Array(256)
    let sum = 0
    for (let byte = 0; byte < 256; byte++) {
      next[byte] = sum
      sum += counts[byte] ?? 0
    }
    for (let index = 0; index < this.#length; index++) {
      const byte = (table[index] ?? 0) & 0xff
      const position = next[byte] ?? 0
      next[byte] = position + 1
      table[position] = (table[position] ?? 0) | (index << 8)
    }
  }
}

function tooLong(): Error {
  return invalidData('bzip2', 'corrupt', 'a block holds more than its stream allows')
}

/** The byte values that occur: a map of sixteen ranges, then a map of each range that occurs. */
function readUsedBytes(bits: BitReader): number[] {
  const ranges = bits.read(16)
  const used: number[] = []
  for (let range = 0; range < 16; range++) {
    if (((ranges >> (15 - range)) & 1) === 0) continue
    const map = bits.read(16)
    for (let index = 0; index < 16; index++) {
      if (((map >> (15 - index)) & 1) === 1) used.push(range * 16 + index)
    }
  }
  if (used.length === 0) throw invalidData('bzip2', 'corrupt', 'a block without bytes')
  return used
}

/** Which table codes each group of fifty symbols, move-to-front coded in unary numbers. */
function readSelectors(bits: BitReader, tableCount: number): Uint8Array {
  const count = bits.read(15)
  if (count === 0) throw invalidData('bzip2', 'corrupt', 'a block without selectors')
  const front = [0, 1, 2, 3, 4, 5].slice(0, tableCount)
  const selectors = new Uint8Array(count)
  for (let index = 0; index < count; index++) {
    let position = 0
    while (bits.read(1) === 1) position++
    const [selector] = front.splice(position, 1)
    if (selector === undefined) throw invalidData('bzip2', 'corrupt', 'selector')
    front.unshift(selector)
    selectors[index] = selector
  }
  return selectors
}

/** CRC-32 with the polynomial of Ethernet, most significant bit first (unlike gzip's). */
const checksumTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = (value << 1) ^ (value < 0 ? 0x04c11db7 : 0)
  return value
})
