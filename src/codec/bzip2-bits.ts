import { invalidData } from './invalid-data.ts'

/** Bits of a byte array, the most significant first. */
export class BitReader {
  readonly #bytes: Uint8Array
  readonly #isComplete: boolean
  #at: number
  /** The last bytes read; the lowest `#count` bits are still to be given. */
  #bits = 0
  #count = 0

  /** @param isComplete whether nothing follows `bytes`: tells truncated data from a block that is longer than any can be */
  constructor(bytes: Uint8Array, bitOffset: number, isComplete: boolean) {
    this.#bytes = bytes
    this.#isComplete = isComplete
    this.#at = bitOffset >> 3
    if ((bitOffset & 7) !== 0) this.read(bitOffset & 7)
  }

  /** Bits given so far, counted from the first byte. */
  get position(): number {
    return this.#at * 8 - this.#count
  }

  /** @param count 1 to 24. @throws ChantalError `UPSTREAM_INVALID` at the end of the bytes */
  read(count: number): number {
    const bits = this.peek(count)
    this.skip(count)
    return bits
  }

  /** The next bits, zeros behind the end of the bytes. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#bits = (this.#bits << 8) | (this.#bytes[this.#at++] ?? 0)
      this.#count += 8
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1)
  }

  /** Passes bits that were peeked at. @throws ChantalError `UPSTREAM_INVALID` where these lie behind the end */
  skip(count: number): void {
    this.#count -= count
    if (this.#at * 8 - this.#count > this.#bytes.byteLength * 8) {
      throw this.#isComplete
        ? invalidData('bzip2', 'truncated')
        : invalidData('bzip2', 'corrupt', 'a block is longer than the format allows')
    }
  }
}
