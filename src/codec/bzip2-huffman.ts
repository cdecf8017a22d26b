import type { BitReader } from './bzip2-bits.ts'
import { invalidData } from './invalid-data.ts'

const longestCode = 20
const fastBits = 10

/** A canonical Huffman code as bzip2 writes it: lengths of 1 to 20 bits, as differences. */
export class HuffmanTable {
  /** For every value of the next ten bits: symbol in the high bits, code length in the low five; 0 for a longer code. */
  readonly #fast = new Uint16Array(1 << fastBits)
  readonly #symbols: Uint16Array
  /** By code length: the first code, the number of codes, where their symbols begin. */
  readonly #first = new Int32Array(longestCode + 1)
  readonly #counts = new Int32Array(longestCode + 1)
  readonly #offsets = new Int32Array(longestCode + 1)

  /** @throws ChantalError `UPSTREAM_INVALID` for lengths that are no code */
  constructor(bits: BitReader, symbolCount: number) {
    const lengths = readLengths(bits, symbolCount)
    this.#symbols = new Uint16Array(symbolCount)
    let code = 0
    let offset = 0
    for (let length = 1; length <= longestCode; length++) {
      this.#first[length] = code
      this.#offsets[length] = offset
      for (let symbol = 0; symbol < symbolCount; symbol++) {
        if (lengths[symbol] !== length) continue
        this.#symbols[offset++] = symbol
        if (length <= fastBits) {
          const start = code << (fastBits - length)
          this.#fast.fill((symbol << 5) | length, start, start + (1 << (fastBits - length)))
        }
        code++
      }
      this.#counts[length] = code - (this.#first[length] ?? 0)
      if (code > 1 << length) throw invalidData('bzip2', 'corrupt', 'code lengths')
      code <<= 1
    }
  }

  /** The next symbol. @throws ChantalError `UPSTREAM_INVALID` for a code that stands for none */
  decode(bits: BitReader): number {
    const fast = this.#fast[bits.peek(fastBits)] ?? 0
    if (fast !== 0) {
      bits.skip(fast & 31)
      return fast >> 5
    }
    for (let length = fastBits + 1; length <= longestCode; length++) {
      const index = bits.peek(length) - (this.#first[length] ?? 0)
      if (index >= 0 && index < (this.#counts[length] ?? 0)) {
        bits.skip(length)
        return this.#symbols[(this.#offsets[length] ?? 0) + index] ?? 0
      }
    }
    throw invalidData('bzip2', 'corrupt', 'unknown code')
  }
}

function readLengths(bits: BitReader, symbolCount: number): Uint8Array {
  const lengths = new Uint8Array(symbolCount)
  let length = bits.read(5)
  for (let symbol = 0; symbol < symbolCount; symbol++) {
    while (true) {
      if (length < 1 || length > longestCode) throw invalidData('bzip2', 'corrupt', 'code length')
      if (bits.read(1) === 0) break
      length += bits.read(1) === 0 ? 1 : -1
    }
    lengths[symbol] = length
  }
  return lengths
}
