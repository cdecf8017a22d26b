import type { ByteSource } from '../core/bytes.ts'
import type { Sha256 } from '../core/digest.ts'
import { ChantalError, hasSystemCode } from '../core/errors.ts'

/** What is read of a blob; a file that is not there is a blob that is missing. @throws ChantalError `BLOB_MISSING` */
export async function* rethrowMissing(source: ByteSource, digest: Sha256): ByteSource {
  try {
    yield* source
  } catch (error) {
    throw hasSystemCode(error, 'ENOENT') ? blobMissing(digest, error) : error
  }
}

export function blobMissing(digest: Sha256, cause: unknown): ChantalError {
  return new ChantalError('BLOB_MISSING', `not in the pool: ${digest}`, {
    cause,
    hint: 'Run `chantal pool verify --repair` to get it back.',
    details: { digest },
  })
}

/** `null` in place of the error that something is not there. */
export function ignoreMissing(error: unknown): null {
  if (hasSystemCode(error, 'ENOENT')) return null
  throw error
}
