import { createHash, hash } from 'node:crypto'
import type { ByteSource } from '../core/bytes.ts'
import { type ChecksumAlgorithm, parseSha256, type Sha256 } from '../core/digest.ts'
import type { WrittenFile } from '../core/publication.ts'

export type Measured = Omit<WrittenFile, 'path'>

export interface MeasuredFile {
  /** With the checksums that were asked for. */
  readonly measured: Measured
  /** What it is known by here. */
  readonly digest: Sha256
}

const usual: readonly ChecksumAlgorithm[] = ['sha256']

/** Size and checksums of bytes that pass by, each in one pass. */
export class MeasuredBytes {
  readonly #wanted: readonly ChecksumAlgorithm[]
  readonly #hashes: ReadonlyMap<ChecksumAlgorithm, ReturnType<typeof createHash>>
  #size = 0

  constructor(wanted: readonly ChecksumAlgorithm[] = usual) {
    this.#wanted = wanted
    this.#hashes = new Map(
      [...wanted, ...usual].map((algorithm) => [algorithm, createHash(algorithm)] as const),
    )
  }

  async *pass(source: ByteSource): ByteSource {
    for await (const chunk of source) {
      this.#size += chunk.byteLength
      for (const running of this.#hashes.values()) running.update(chunk)
      yield chunk
    }
  }

  finish(): MeasuredFile {
    const hexes = new Map([...this.#hashes].map(([algorithm, running]) => [algorithm, running.digest('hex')]))
    return measuredFile(this.#size, this.#wanted, (algorithm) => hexes.get(algorithm) ?? '')
  }
}

export function measureWhole(bytes: Uint8Array, wanted: readonly ChecksumAlgorithm[] = usual): MeasuredFile {
  return measuredFile(bytes.byteLength, wanted, (algorithm) => hash(algorithm, bytes, 'hex'))
}

function measuredFile(
  size: number,
  wanted: readonly ChecksumAlgorithm[],
  hexOf: (algorithm: ChecksumAlgorithm) => string,
): MeasuredFile {
  const checksums = wanted.map((algorithm) => ({ algorithm, hex: hexOf(algorithm) }))
  const sha256 = checksums.find(({ algorithm }) => algorithm === 'sha256')?.hex ?? hexOf('sha256')
  return { measured: { size, checksums }, digest: parseSha256(sha256) }
}
