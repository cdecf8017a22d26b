import { createHash, hash } from 'node:crypto'
import type { ByteSource } from '../core/bytes.ts'
import { parseSha256, type Sha256 } from '../core/digest.ts'
import type { WrittenFile } from '../core/publication.ts'

const algorithms = ['md5', 'sha1', 'sha256', 'sha512'] as const

export type Measured = Omit<WrittenFile, 'path'>

/** Size and checksums of bytes that pass by, each in one pass. */
export class MeasuredBytes {
  readonly #hashes = algorithms.map((algorithm) => ({ algorithm, running: createHash(algorithm) }))
  #size = 0

  async *pass(source: ByteSource): ByteSource {
    for await (const chunk of source) {
      this.#size += chunk.byteLength
      for (const { running } of this.#hashes) running.update(chunk)
      yield chunk
    }
  }

  finish(): Measured {
    return {
      size: this.#size,
      checksums: this.#hashes.map(({ algorithm, running }) => ({ algorithm, hex: running.digest('hex') })),
    }
  }
}

export function measureWhole(bytes: Uint8Array): Measured {
  return {
    size: bytes.byteLength,
    checksums: algorithms.map((algorithm) => ({ algorithm, hex: hash(algorithm, bytes, 'hex') })),
  }
}

export function sha256Of(measured: Measured): Sha256 {
  return parseSha256(measured.checksums.find(({ algorithm }) => algorithm === 'sha256')?.hex ?? '')
}
