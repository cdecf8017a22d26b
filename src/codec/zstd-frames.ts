import { invalidData } from './invalid-data.ts'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const dictionaryIdSizes: readonly number[] = [0, 1, 2, 4]
const contentSizeSizes: readonly number[] = [0, 2, 4, 8]
/** Magic, descriptor, window, dictionary id, content size: a header is never longer. */
const maxHeaderSize = 18

type State = 'magic' | 'skippable-size' | 'skip' | 'header' | 'block-header' | 'block' | 'checksum'

/**
 * Follows the frames of a zstd stream by their headers, without decoding: splits the input where frames end and leaves
 * skippable frames out, because Node's decoder ignores what follows a frame within one write.
 * @see RFC 8878, 3.1
 */
export class ZstdFrames {
  #state: State = 'magic'
  /** Bytes of the header that is being collected. */
  readonly #header = new Uint8Array(maxHeaderSize)
  #have = 0
  #need = 4
  /** Bytes left of a block, a skippable frame or a checksum. */
  #left = 0
  #isLastBlock = false
  #hasChecksum = false

  /** Whether the input may end here. */
  get isBetweenFrames(): boolean {
    return this.#state === 'magic' && this.#have === 0
  }

  /**
   * The parts of `chunk` to decode, none of which reaches beyond the end of a frame.
   * @throws ChantalError `UPSTREAM_INVALID` for what is no frame
   */
  *split(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0
    let at = 0
    while (at < chunk.byteLength) {
      if (this.#state === 'skip' || this.#state === 'block' || this.#state === 'checksum') {
        const taken = Math.min(this.#left, chunk.byteLength - at)
        at += taken
        this.#left -= taken
        if (this.#left > 0) continue
        if (this.#state === 'skip') {
          this.#collect('magic', 4)
          start = at
        } else if (this.#endsFrame()) {
          yield chunk.subarray(start, at)
          start = at
        }
        continue
      }
      this.#header[this.#have++] = chunk[at++] ?? 0
      if (this.#have < this.#need) continue
      if (this.#state === 'magic') {
        // A magic number that began in an earlier chunk was held back, and is given before the rest of its frame.
        if (this.#readMagic() && at - start < 4) {
          yield this.#header.slice(0, 4)
          start = at
        }
      } else if (this.#state === 'skippable-size') {
        this.#startSkip()
        start = at
      } else if (this.#state === 'header') this.#readHeader()
      else if (this.#readBlockHeader()) {
        yield chunk.subarray(start, at)
        start = at
      }
    }
    const isInFrame =
      this.#state === 'header' || this.#state.startsWith('block') || this.#state === 'checksum'
    if (isInFrame && start < at) yield chunk.subarray(start, at)
  }

  #collect(state: State, need: number): void {
    this.#state = state
    this.#have = 0
    this.#need = need
  }

  #number(offset: number): number {
    return new DataView(this.#header.buffer).getUint32(offset, true)
  }

  #readMagic(): boolean {
    const magic = this.#number(0)
    if (magic === frameMagic) {
      this.#collect('header', 1)
      return true
    }
    if ((magic & 0xfffffff0) >>> 0 !== skippableMagic)
      throw invalidData('zstd', 'trailing', 'no frame starts here')
    this.#collect('skippable-size', 4)
    return false
  }

  #startSkip(): void {
    this.#left = this.#number(0)
    if (this.#left === 0) this.#collect('magic', 4)
    else this.#state = 'skip'
  }

  #readHeader(): void {
    const descriptor = this.#header[0] ?? 0
    const isSingleSegment = (descriptor & 0x20) !== 0
    const contentSizeFlag = descriptor >> 6
    const contentSize =
      contentSizeFlag === 0 && isSingleSegment ? 1 : (contentSizeSizes[contentSizeFlag] ?? 0)
    const size = 1 + (isSingleSegment ? 0 : 1) + (dictionaryIdSizes[descriptor & 3] ?? 0) + contentSize
    if (this.#have < size) {
      this.#need = size
      return
    }
    this.#hasChecksum = (descriptor & 4) !== 0
    this.#collect('block-header', 3)
  }

  /** Whether the frame ends here. */
  #readBlockHeader(): boolean {
    const header = this.#number(0) & 0xffffff
    const type = (header >> 1) & 3
    if (type === 3) throw invalidData('zstd', 'corrupt', 'reserved block type')
    this.#isLastBlock = (header & 1) !== 0
    // A run-length block states the size of its output and holds one byte.
    this.#left = type === 1 ? 1 : header >> 3
    this.#state = 'block'
    return this.#left === 0 && this.#endsFrame()
  }

  /** What follows a block or a checksum that is complete: more of the frame, or its end. */
  #endsFrame(): boolean {
    if (this.#state === 'block' && !this.#isLastBlock) {
      this.#collect('block-header', 3)
      return false
    }
    if (this.#state === 'block' && this.#hasChecksum) {
      this.#state = 'checksum'
      this.#left = 4
      return false
    }
    this.#collect('magic', 4)
    return true
  }
}
