import { runsAhead } from './run-compression.ts'

/**
 * Collects runs for `compressRuns`, one after another, in memory that is used again: no run is copied more than once, and
 * hundreds of megabytes of them leave no garbage.
 */
export class RunBuffers {
  #current = Buffer.allocUnsafeSlow(firstBytes)
  readonly #others = Array.from({ length: runsAhead }, () => Buffer.allocUnsafeSlow(firstBytes))
  #size = 0
  #length = 0

  /** Bytes of the run so far. */
  get size(): number {
    return this.#size
  }

  /** Entries of the run so far. */
  get length(): number {
    return this.#length
  }

  /** @param end a byte that follows the entry */
  add(entry: Uint8Array, end: number): void {
    this.#append(entry)
    if (this.#size === this.#current.byteLength) this.#append(Uint8Array.of(end))
    else this.#current[this.#size++] = end
    this.#length += 1
  }

  /** The run as it is now. It stays until as many more were begun as `compressRuns` asks for ahead. */
  take(): Uint8Array {
    const run = this.#current.subarray(0, this.#size)
    this.#others.push(this.#current)
    this.#current = this.#others.shift() ?? Buffer.allocUnsafeSlow(firstBytes)
    this.#size = 0
    this.#length = 0
    return run
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#size + bytes.byteLength
    if (needed > this.#current.byteLength) {
      const larger = Buffer.allocUnsafeSlow(needed * 2)
      larger.set(this.#current.subarray(0, this.#size))
      this.#current = larger
    }
    this.#current.set(bytes, this.#size)
    this.#size = needed
  }
}

const firstBytes = 256 * 1024
