import type { Sha256 } from '../../core/digest.ts'
import type { UseCase } from '../context.ts'
import { atDigest } from './at-digest.ts'

/** A blob in the pool that nothing needs. */
export interface OrphanedBlob {
  readonly digest: Sha256
  readonly sizeBytes: number
  /** `unnamed`: the catalog has no row of it. `unreached`: it has, and no latest revision, snapshot or generation needs it. */
  readonly state: 'unnamed' | 'unreached'
  /** When it came into the pool. */
  readonly storedAt: Date
}

/**
 * What garbage collection would look at, in digest order. Not all of it may go: what a sync at work has fetched, and what was wanted
 * within the grace period, stays.
 */
export const orphanedBlobs: UseCase<object, readonly OrphanedBlob[]> = async ({ catalog, pool }, _, signal) =>
  catalog.read(async (reader) => {
    const orphaned: OrphanedBlob[] = []
    await using named = atDigest(reader.blobs())
    await using reached = atDigest(reader.reachableBlobs())
    for await (const { digest, size, storedAt } of pool.list()) {
      signal.throwIfAborted()
      const isNamed = await named.has(digest)
      if (await reached.has(digest)) continue
      orphaned.push({ digest, sizeBytes: size, state: isNamed ? 'unreached' : 'unnamed', storedAt })
    }
    return orphaned
  })
