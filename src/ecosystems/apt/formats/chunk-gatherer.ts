/** In bytes: a chunk is given when the next piece would make it larger. */
export const chunkSize = 256 * 1024

/** Makes chunks of some {@link chunkSize} of many small pieces, so that what comes after works on few large ones. */
export class ChunkGatherer {
  #chunk = new Uint8Array(chunkSize)
  #length = 0

  /**
   * Copies a piece, which may change afterwards.
   * @returns a chunk that is full, `null` while there is room; it is the caller's
   */
  add(piece: Uint8Array): Uint8Array | null {
    let full: Uint8Array | null = null
    if (this.#length + piece.byteLength > this.#chunk.byteLength) {
      full = this.rest()
      if (piece.byteLength > this.#chunk.byteLength) this.#chunk = new Uint8Array(piece.byteLength)
    }
    this.#chunk.set(piece, this.#length)
    this.#length += piece.byteLength
    return full
  }

  /** What was added since the last chunk; `null` where that is nothing. */
  rest(): Uint8Array | null {
    if (this.#length === 0) return null
    const rest = this.#chunk.subarray(0, this.#length)
    this.#chunk = new Uint8Array(chunkSize)
    this.#length = 0
    return rest
  }
}
