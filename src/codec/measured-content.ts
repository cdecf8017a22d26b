import { createHash } from 'node:crypto'
import type { ByteSource } from '../core/bytes.ts'
import type { Checksum } from '../core/digest.ts'
import type { MadeRun } from './run-compression.ts'

/** Runs are in memory that is used again; who compresses as one stream holds several chunks at a time. */
export async function* ownChunks(content: AsyncIterable<Uint8Array | MadeRun>): ByteSource {
  for await (const run of content) yield Buffer.from(bytesOf(run))
}

function bytesOf(chunk: Uint8Array | MadeRun): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : chunk.bytes
}

/** What passes on its way to be compressed. */
export class MeasuredContent<Chunk extends Uint8Array | MadeRun> implements AsyncIterable<Chunk> {
  readonly #content: AsyncIterable<Chunk>
  readonly #hash = createHash('sha256')
  #size = 0

  constructor(content: AsyncIterable<Chunk>) {
    this.#content = content
  }

  async *[Symbol.asyncIterator]() {
    for await (const chunk of this.#content) {
      const bytes = bytesOf(chunk)
      this.#hash.update(bytes)
      this.#size += bytes.byteLength
      yield chunk
    }
  }

  finish(): { readonly checksum: Checksum; readonly size: number } {
    return { checksum: { algorithm: 'sha256', hex: this.#hash.digest('hex') }, size: this.#size }
  }
}
