import type { ByteSource } from '../core/bytes.ts'

/** The next bytes of a source, as many as are asked for. Every byte is moved a constant number of times. */
export class InputBuffer implements AsyncDisposable {
  readonly #iterator: AsyncIterator<Uint8Array>
  #buffer = new Uint8Array(64 * 1024)
  #start = 0
  #end = 0
  /** A chunk of the source that did not fit yet. */
  #rest: Uint8Array = new Uint8Array()
  #isExhausted = false

  constructor(source: ByteSource) {
    this.#iterator = source[Symbol.asyncIterator]()
  }

  /** Bytes at hand. */
  get length(): number {
    return this.#end - this.#start
  }

  /** A view of the bytes at hand, valid until the next `fill`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end)
  }

  /** Whether the bytes at hand are all that is left. */
  get isComplete(): boolean {
    return this.#isExhausted && this.#rest.byteLength === 0
  }

  /** Has at least `wanted` bytes at hand, fewer only where the source ends before. */
  async fill(wanted: number): Promise<void> {
    if (this.length >= wanted) return
    this.#makeRoom(2 * wanted)
    while (this.length < wanted) {
      if (this.#rest.byteLength === 0 && !(await this.#next())) return
      const taken = this.#rest.subarray(0, this.#buffer.byteLength - this.#end)
      this.#buffer.set(taken, this.#end)
      this.#end += taken.byteLength
      this.#rest = this.#rest.subarray(taken.byteLength)
    }
  }

  /** Drops bytes from the front. */
  skip(count: number): void {
    this.#start = Math.min(this.#start + count, this.#end)
  }

  /** Tells the source that no more is read. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isExhausted) await this.#iterator.return?.()
  }

  async #next(): Promise<boolean> {
    if (this.#isExhausted) return false
    try {
      const { done, value } = await this.#iterator.next()
      if (done !== true) this.#rest = value
      this.#isExhausted = done === true
    } catch (error) {
      this.#isExhausted = true
      throw error
    }
    return !this.#isExhausted
  }

  /** Moves what is at hand to the front when the room behind it is used up. */
  #makeRoom(capacity: number): void {
    if (this.#buffer.byteLength < capacity) {
      const larger = new Uint8Array(capacity)
      larger.set(this.bytes)
      this.#buffer = larger
    } else if (this.#start + capacity / 2 > this.#buffer.byteLength) {
      this.#buffer.copyWithin(0, this.#start, this.#end)
    } else return
    this.#end -= this.#start
    this.#start = 0
  }
}
