import type { Brand } from './brand.ts'
import { ChantalError } from './errors.ts'

/** SHA-256 of a file's bytes: 64 lower-case hex digits. The identity of a blob. */
export type Sha256 = Brand<string, 'Sha256'>

/** @throws ChantalError `DIGEST_INVALID` */
export function parseSha256(text: string): Sha256 {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new ChantalError('DIGEST_INVALID', `not a SHA-256 digest: ${JSON.stringify(text)}`)
  }
  return text as Sha256
}

export type ChecksumAlgorithm = 'md5' | 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

/** A checksum as upstream metadata states it; `hex` is lower-case. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  readonly hex: string
}

const hexDigits: Readonly<Record<ChecksumAlgorithm, number>> = {
  md5: 32,
  sha1: 40,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
}

/**
 * @param algorithm as metadata writes it, any case; old createrepo says `sha` for SHA-1
 * @throws ChantalError `DIGEST_INVALID` for an unknown algorithm, or digits that do not fit it
 */
export function parseChecksum(algorithm: string, hex: string): Checksum {
  const lower = algorithm.toLowerCase()
  const name = lower === 'sha' ? 'sha1' : lower
  const digits = hex.trim().toLowerCase()
  if (!Object.hasOwn(hexDigits, name)) {
    throw new ChantalError('DIGEST_INVALID', `unknown checksum algorithm: ${JSON.stringify(algorithm)}`)
  }
  const known = name as ChecksumAlgorithm
  if (digits.length !== hexDigits[known] || !/^[0-9a-f]+$/.test(digits)) {
    throw new ChantalError('DIGEST_INVALID', `not a ${known} checksum: ${JSON.stringify(hex)}`)
  }
  return { algorithm: known, hex: digits }
}

/** What upstream metadata says about a file before we hold it. */
export interface Expectation {
  /** In bytes. Absent where the format does not say (Helm, PEP 503). */
  readonly size?: number
  /** Every one is checked. May be empty: then only the transport vouches for the bytes. */
  readonly checksums: readonly Checksum[]
  /** Bytes after which reading stops with `SIZE_LIMIT`: upstream is not trusted to end. */
  readonly maxSize: number
}
