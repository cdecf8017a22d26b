import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import type { UseCase } from '../context.ts'
import { type Affected, affectedBy } from './affected.ts'
import { atDigest } from './at-digest.ts'

/** A blob that is needed and not in the pool. */
export interface MissingBlob extends Affected {
  readonly digest: Sha256
  readonly sizeBytes: number
}

/** What a latest revision, a snapshot or a generation needs and the pool has no file for, in digest order. Reads no file. */
export const missingBlobs: UseCase<object, readonly MissingBlob[]> = async ({ catalog, pool }, _, signal) =>
  catalog.read(async (reader) => {
    const missing: BlobRef[] = []
    await using held = atDigest(pool.list())
    for await (const blob of reader.reachableBlobs()) {
      signal.throwIfAborted()
      // What came since the list went past is there by now.
      if (!(await held.has(blob.digest)) && !(await pool.has(blob.digest))) missing.push(blob)
    }
    const affected = await affectedBy(
      reader,
      missing.map(({ digest }) => digest),
    )
    return missing.map(({ digest, size }) => ({
      digest,
      sizeBytes: size,
      ...(affected.get(digest) ?? { files: [], snapshots: [], publications: [] }),
    }))
  })

/** What looking for missing blobs ends with where there are some. */
export function missingError(missing: readonly MissingBlob[]): ChantalError | null {
  const [first] = missing
  if (!first) return null
  return new ChantalError(
    'BLOB_MISSING',
    `${missing.length} of the blobs that are needed ${missing.length === 1 ? 'is' : 'are'} not in the pool, the first: ${first.digest}`,
    {
      hint: 'Check that the right disk is mounted; then run `chantal pool verify --repair` to get them back.',
      details: { missing: missing.length },
    },
  )
}
