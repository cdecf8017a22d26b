import type { Sha256 } from '../core/digest.ts'
import { ChantalError, hasSystemCode } from '../core/errors.ts'

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
