import { giveBack } from '../../core/bytes.ts'

/** Runs in work at a time: more than the thread pool has threads, so that each finds the next one waiting. */
export const runsAhead = 8

/**
 * Collects runs for a `DocumentWriter`, one after another, in memory that is used again: no run is copied more than once, and
 * hundreds of megabytes of them leave no garbage.
 */
export class RunBuffers {
  #current: Buffer = nothing
  readonly #others: Buffer[]
  #size = 0

  /** @param waiting runs that may be taken and not yet asked for by the writer */
  constructor(waiting = 0) {
    this.#others = Array.from({ length: runsAhead + waiting }, () => nothing)
  }

  /** Bytes of the run so far. */
  get size(): number {
    return this.#size
  }

  add(bytes: Uint8Array): void {
    this.#makeRoom(bytes.byteLength)
    this.#current.set(bytes, this.#size)
    this.#size += bytes.byteLength
  }

  addByte(byte: number): void {
    this.#makeRoom(1)
    this.#current[this.#size++] = byte
  }

  /** The run as it is now. It stays until as many more were begun as the writer has in work, and may wait. */
  take(): Uint8Array {
    const run = this.#current.subarray(0, this.#size)
    this.#others.push(this.#current)
    this.#current = reusable(this.#others.shift() ?? nothing)
    this.#size = 0
    return run
  }

  #makeRoom(bytes: number): void {
    const needed = this.#size + bytes
    if (needed <= this.#current.byteLength) return
    const larger = Buffer.allocUnsafeSlow(Math.max(firstBytes, needed * 2))
    larger.set(this.#current.subarray(0, this.#size))
    this.#current = larger
  }
}

/** Given back where a long run made it large: nearly all others would fill a fraction of it. */
function reusable(buffer: Buffer): Buffer {
  if (buffer.byteLength <= largestKept) return buffer
  giveBack(buffer)
  return nothing
}

const firstBytes = 256 * 1024
const largestKept = 512 * 1024
const nothing = Buffer.alloc(0)
