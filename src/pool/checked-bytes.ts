import { createHash, hash } from 'node:crypto'
import type { Checksum, ChecksumAlgorithm, Expectation, Sha256 } from '../core/digest.ts'
import { parseSha256 } from '../core/digest.ts'
import { ChantalError } from '../core/errors.ts'

/** Hashes bytes while they arrive, by SHA-256 and by every checksum that was promised, and counts them against the limit. */
export class CheckedBytes {
  readonly #expect: Expectation
  readonly #hashes = new Map([['sha256' as ChecksumAlgorithm, createHash('sha256')]])
  #size = 0

  constructor(expect: Expectation) {
    this.#expect = expect
    for (const { algorithm } of expect.checksums) {
      if (!this.#hashes.has(algorithm)) this.#hashes.set(algorithm, createHash(algorithm))
    }
  }

  /** @throws ChantalError `SIZE_LIMIT` */
  update(chunk: Uint8Array): void {
    this.#size += chunk.byteLength
    refuseTooLarge(this.#size, this.#expect)
    for (const running of this.#hashes.values()) running.update(chunk)
  }

  /** Ends the hashes. @throws ChantalError `CHECKSUM_MISMATCH` */
  finish(): { readonly digest: Sha256; readonly size: number } {
    const actual = new Map(
      [...this.#hashes].map(([algorithm, running]) => [algorithm, running.digest('hex')]),
    )
    return compare(this.#size, this.#expect, (algorithm) => actual.get(algorithm) ?? '')
  }
}

/** {@link CheckedBytes} for a body that is whole in memory. @throws ChantalError `SIZE_LIMIT`, `CHECKSUM_MISMATCH` */
export function checkWhole(
  bytes: Uint8Array,
  expect: Expectation,
): { readonly digest: Sha256; readonly size: number } {
  refuseTooLarge(bytes.byteLength, expect)
  const sha256 = hash('sha256', bytes, 'hex')
  return compare(bytes.byteLength, expect, (algorithm) =>
    algorithm === 'sha256' ? sha256 : hash(algorithm, bytes, 'hex'),
  )
}

function refuseTooLarge(size: number, { maxSize, size: stated }: Expectation): void {
  if (stated !== undefined && size > stated) {
    throw new ChantalError('CHECKSUM_MISMATCH', `expected ${stated} bytes, got more`, {
      details: { expected_bytes: stated },
    })
  }
  if (size > maxSize) {
    throw new ChantalError('SIZE_LIMIT', `more than ${maxSize} bytes`, { details: { limit_bytes: maxSize } })
  }
}

function compare(size: number, expect: Expectation, actualOf: (algorithm: ChecksumAlgorithm) => string) {
  if (expect.size !== undefined && size !== expect.size) {
    throw new ChantalError('CHECKSUM_MISMATCH', `expected ${expect.size} bytes, got ${size}`, {
      details: { expected_bytes: expect.size, actual_bytes: size },
    })
  }
  for (const checksum of expect.checksums) refuseOther(checksum, actualOf(checksum.algorithm))
  return { digest: parseSha256(actualOf('sha256')), size }
}

function refuseOther({ algorithm, hex }: Checksum, actual: string): void {
  if (actual === hex) return
  throw new ChantalError('CHECKSUM_MISMATCH', `expected ${algorithm} ${hex}, got ${actual}`, {
    details: { algorithm, expected: hex, actual },
  })
}
