const blockSize = 1024 ** 2

/** Where bytes lie in a {@link ByteStore}: from `start` up to, not including, `end`. */
export interface StoredBytes {
  readonly block: Buffer
  readonly start: number
  readonly end: number
}

/**
 * Keeps small pieces in a few large blocks. As objects and strings of their own, the pieces of tens of thousands of packages take
 * several times the memory, and every garbage collection walks through them.
 */
export class ByteStore {
  #block = Buffer.alloc(0)
  #end = 0

  /** One piece: the bytes, then the text in UTF-8. */
  add(bytes: Uint8Array, text: string): StoredBytes {
    const most = bytes.byteLength + 3 * text.length
    if (this.#end + most > this.#block.byteLength) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(blockSize, most))
      this.#end = 0
    }
    const start = this.#end
    this.#block.set(bytes, start)
    this.#end = start + bytes.byteLength + this.#block.write(text, start + bytes.byteLength, 'utf8')
    return { block: this.#block, start, end: this.#end }
  }
}
