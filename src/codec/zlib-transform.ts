import type { Transform } from 'node:stream'
import { hasSystemCode } from '../core/errors.ts'
import { invalidData } from './invalid-data.ts'

/** A zlib stream hands over 256 KiB at once and works ahead of its reader by as much: few steps, and still in a cache. */
export const zlibBuffering = { chunkSize: 256 * 1024, readableHighWaterMark: 256 * 1024 }

/** A `node:zlib` stream: a transform that counts the input it took. */
export type ZlibTransform = Transform & { readonly bytesWritten: number }

/**
 * Drives a `node:zlib` stream one input chunk at a time. The source is never read while the reader of the output is
 * busy, so that whoever stops early leaves no read behind; the stream itself works ahead by one output chunk.
 */
export class ZlibDriver {
  readonly #transform: ZlibTransform
  readonly #format: string
  #failure: unknown
  #wake: () => void = () => {}

  constructor(transform: ZlibTransform, format: string) {
    this.#transform = transform
    this.#format = format
    const wake = () => this.#wake()
    transform.on('readable', wake).on('end', wake).on('close', wake)
    transform.on('error', (error) => {
      this.#failure = error
      wake()
    })
  }

  /** Whether the stream saw the end of its data and takes no more. */
  get ended(): boolean {
    return this.#transform.readableEnded
  }

  /** Input bytes that were part of the data; what lies behind the end of the data is not. */
  get consumed(): number {
    return this.#transform.bytesWritten
  }

  /** Gives what comes out while `chunk` goes in. */
  async *write(chunk: Uint8Array): AsyncGenerator<Uint8Array, void> {
    let taken = false
    this.#transform.write(chunk, () => {
      taken = true
      this.#wake()
    })
    yield* this.#read(() => taken)
  }

  /** Gives what is left once the input has ended. */
  async *end(): AsyncGenerator<Uint8Array, void> {
    this.#transform.end()
    yield* this.#read(() => false)
  }

  /** Frees the native memory. Must be called in every case. */
  destroy(): void {
    this.#transform.destroy()
  }

  async *#read(isDone: () => boolean): AsyncGenerator<Uint8Array, void> {
    const transform = this.#transform
    while (true) {
      const output: Uint8Array | null = transform.read()
      if (this.#failure !== undefined) throw describe(this.#failure, this.#format)
      if (output !== null) yield output
      else if (isDone() || transform.readableEnded || transform.destroyed) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function describe(error: unknown, format: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (hasSystemCode(error, 'Z_BUF_ERROR')) return invalidData(format, 'truncated', undefined, error)
  const isData =
    hasSystemCode(error, 'Z_DATA_ERROR', 'Z_NEED_DICT') || String(error.code).startsWith('ZSTD_error_')
  return isData ? invalidData(format, 'corrupt', error.message, error) : error
}
