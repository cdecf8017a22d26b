import type { UseCase } from '../context.ts'
import { atDigest } from './at-digest.ts'

/** The shape of `pool adopt --json`. */
export interface AdoptPoolOutput {
  readonly path: string
  /** The catalog that had it; `null` where nobody had. */
  readonly previous: string | null
  /** The one that has it now. */
  readonly catalog: string
  /** Files in the pool. */
  readonly blobs: number
  /** Of these, what this catalog does not know: its garbage collection takes them. */
  readonly unknownBlobs: number
  readonly unknownBytes: number
  /** What this catalog knows and the pool has not. */
  readonly missingBlobs: number
  readonly adopted: boolean
}

/**
 * Makes the pool this catalog's: after its marker or another catalog was lost. Whoever still uses it with the other catalog is refused from
 * then on. The context was opened for adoption: the pool need not be this catalog's yet.
 */
export const adoptPool: UseCase<{ readonly dryRun: boolean }, AdoptPoolOutput> = async (
  { catalog, pool, poolMarker, settings },
  { dryRun },
  signal,
) => {
  const previous = await poolMarker.owner()
  const counted = await catalog.read(async (reader) => {
    let blobs = 0
    let unknownBlobs = 0
    let unknownBytes = 0
    await using known = atDigest(reader.blobs())
    for await (const { digest, size } of pool.list()) {
      signal.throwIfAborted()
      blobs += 1
      if (await known.has(digest)) continue
      unknownBlobs += 1
      unknownBytes += size
    }
    const rows = (await reader.counts()).blobs
    return { blobs, unknownBlobs, unknownBytes, missingBlobs: rows - (blobs - unknownBlobs) }
  })
  const isNew = previous !== catalog.id
  if (isNew && !dryRun) await poolMarker.adopt(catalog.id)
  return {
    path: settings.storage.poolPath,
    previous,
    catalog: catalog.id,
    ...counted,
    adopted: isNew && !dryRun,
  }
}
