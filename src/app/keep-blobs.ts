import type { ReceivedBlob, StoredBlob } from '../pool/pool.ts'
import type { AppContext } from './context.ts'

/**
 * Lets received blobs into the pool and the catalog, under a lease that keeps garbage collection out for the moment
 * between the two. Callers batch: a batch costs two flushes and two transactions.
 */
export async function keepBlobs(
  { catalog, pool, now, reached }: Pick<AppContext, 'catalog' | 'pool' | 'now' | 'reached'>,
  received: readonly ReceivedBlob[],
  signal: AbortSignal,
): Promise<readonly StoredBlob[]> {
  if (received.length === 0) return []
  await using lease = await catalog.acquire({
    resource: 'pool',
    mode: 'shared',
    purpose: `keep ${received.length} blobs`,
    waitMs: 60_000,
    signal,
  })
  lease.signal.throwIfAborted()
  reached?.('blobs received')
  const stored = await pool.keep(received)
  reached?.('blobs named')
  // Naming thousands of files takes seconds: whoever was stopped meanwhile finds garbage collection in its place.
  await lease.assertHeld()
  await catalog.write((writer) => writer.addBlobs(stored, now()))
  reached?.('blobs recorded')
  return stored
}
