import type { Sha256 } from './digest.ts'
import { ChantalError } from './errors.ts'

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
