import { createHash } from 'node:crypto'
import type { ByteSource } from '../core/bytes.ts'
import type { Checksum } from '../core/digest.ts'

/** What passes on its way to be compressed. */
export class MeasuredContent implements AsyncIterable<Uint8Array> {
  readonly #content: ByteSource
  readonly #hash = createHash('sha256')
  #size = 0

  constructor(content: ByteSource) {
    this.#content = content
  }

  async *[Symbol.asyncIterator]() {
    for await (const chunk of this.#content) {
      this.#hash.update(chunk)
      this.#size += chunk.byteLength
      yield chunk
    }
  }

  finish(): { readonly checksum: Checksum; readonly size: number } {
    return { checksum: { algorithm: 'sha256', hex: this.#hash.digest('hex') }, size: this.#size }
  }
}
