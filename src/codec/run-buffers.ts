import { type MadeRun, runsAhead } from './run-compression.ts'

/**
 * Collects runs for `compressRuns`, one after another, in memory that is used again: no run is copied more than once, and
 * hundreds of megabytes of them leave no garbage.
 */
export class RunBuffers {
  #current: Buffer = nothing
  readonly #others: Buffer[]
  #size = 0
  #length = 0
  #origin: string | null = ''

  /** @param waiting runs that may be taken and not yet asked for by `compressRuns` */
  constructor(waiting = 0) {
    this.#others = Array.from({ length: runsAhead + waiting }, () => nothing)
  }

  /** Bytes of the run so far. */
  get size(): number {
    return this.#size
  }

  /** Entries of the run so far. */
  get length(): number {
    return this.#length
  }

  /**
   * @param end a byte that follows the entry
   * @param origin what the entry was made from; `null` where nothing shorter than the entry says that
   */
  add(entry: Uint8Array, end: number, origin: string | null): void {
    this.#append(entry)
    if (this.#size === this.#current.byteLength) this.#append(Uint8Array.of(end))
    else this.#current[this.#size++] = end
    this.#length += 1
    this.#origin = this.#origin === null || origin === null ? null : `${this.#origin}${origin}\n`
  }

  /** The run as it is now. It stays until as many more were begun as `compressRuns` asks for ahead, and may wait. */
  take(): Uint8Array | MadeRun {
    const bytes = this.#current.subarray(0, this.#size)
    const run = this.#origin === null ? bytes : { bytes, origin: this.#origin }
    this.#others.push(this.#current)
    this.#current = reusable(this.#others.shift() ?? nothing)
    this.#size = 0
    this.#length = 0
    this.#origin = ''
    return run
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#size + bytes.byteLength
    if (needed > this.#current.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(firstBytes, needed * 2))
      larger.set(this.#current.subarray(0, this.#size))
      this.#current = larger
    }
    this.#current.set(bytes, this.#size)
    this.#size = needed
  }
}

/** Given back where a long run made it large: nearly all others would fill a fraction of it. */
function reusable(buffer: Buffer): Buffer {
  if (buffer.byteLength <= largestKept) return buffer
  if (buffer.buffer instanceof ArrayBuffer) buffer.buffer.transfer(0)
  return nothing
}

const firstBytes = 256 * 1024
const largestKept = 512 * 1024
const nothing = Buffer.alloc(0)
