import type { Sha256 } from './digest.ts'
import { ChantalError, isChantalError } from './errors.ts'

/**
 * `BLOB_CORRUPT` for what was read, or copied, as a whole.
 * @param file.path what the file is called where it was wanted
 * @param actual SHA-256, in hex, of what the pool has in place of the file's bytes
 */
export function damagedBlob(
  { path, digest }: { readonly path: string; readonly digest: Sha256 },
  actual: string,
): ChantalError {
  return new ChantalError(
    'BLOB_CORRUPT',
    `${path}: damaged in the pool: expected sha256 ${digest}, got ${actual}`,
    {
      hint: 'Run `chantal pool verify --repair` to get it back, then try again.',
      details: { digest, actual, path },
    },
  )
}

/** What the pool says that it lacks, said of the file that was wanted; anything else, and what names a file already, unchanged. */
export function nameMissing(error: unknown, file: string): unknown {
  if (!isChantalError(error, 'BLOB_MISSING') || error.details['path'] !== undefined) return error
  const { message, hint, details, cause } = error
  return new ChantalError('BLOB_MISSING', `${file}: ${message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, path: file },
  })
}
