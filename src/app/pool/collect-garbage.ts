import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { BlobInfo } from '../../pool/pool.ts'
import type { AppContext, UseCase } from '../context.ts'

export interface CollectGarbageInput {
  /** A blob is safe for this long after it was last wanted, and a superseded revision for this long after it was superseded. */
  readonly graceMs: number
  readonly dryRun: boolean
}

/** The shape of `pool gc --json`. */
export interface CollectGarbageOutput {
  readonly removed: number
  readonly freedBytes: number
  readonly kept: number
  /** Revisions whose content was forgotten: neither latest, nor in a snapshot, nor published. */
  readonly prunedRevisions: number
  readonly dryRun: boolean
}

/** Blobs per exclusive lease: syncs wait at most for one batch. */
const batchSize = 1000

/**
 * Removes what nothing reaches. Marks under no lease, since the catalog looks again while it deletes; sweeps in batches, each under the
 * pool's exclusive lease. Row first, file second: a crash between the two leaves an unnamed file, which the next run removes,
 * and never a named file that is missing.
 * @throws ChantalError `BLOB_MISSING` where something reaches a blob that is not in the pool: then nothing is removed
 */
export const collectGarbage: UseCase<CollectGarbageInput, CollectGarbageOutput> = async (
  context,
  input,
  signal,
) => {
  const { pool, catalog, now, reporter } = context
  const before = new Date(now().getTime() - input.graceMs)
  if (!input.dryRun) await forgetLostGenerations(context, signal)
  const prunedRevisions = input.dryRun ? 0 : await catalog.write((writer) => writer.pruneRevisions(before))

  const garbage: BlobInfo[] = []
  let kept = 0
  await catalog.read(async (reader) => {
    for await (const { blob, isReachable } of pairByDigest(pool.list(), reader.reachableBlobs())) {
      signal.throwIfAborted()
      // A file without a row is as old as its name; the catalog knows when a row's blob was wanted, and looks when it forgets.
      if (isReachable || blob.storedAt > before) kept += 1
      else garbage.push(blob)
    }
  })

  let removed = 0
  let freedBytes = 0
  if (input.dryRun) {
    removed = garbage.length
    freedBytes = garbage.reduce((sum, { size }) => sum + size, 0)
  } else {
    for (let start = 0; start < garbage.length; start += batchSize) {
      const batch = garbage.slice(start, start + batchSize).map(({ digest }) => digest)
      const swept = await sweep(context, batch, before, signal)
      removed += swept.removed
      freedBytes += swept.freedBytes
    }
    await pool.sweepTemporary({ ms: Math.max(input.graceMs, 24 * 3_600_000) })
  }
  kept += garbage.length - removed
  reporter.report({ type: 'gc.finished', removed, freedBytes, kept })
  return { removed, freedBytes, kept, prunedRevisions, dryRun: input.dryRun }
}

async function sweep(
  { pool, catalog }: AppContext,
  batch: readonly Sha256[],
  before: Date,
  caller: AbortSignal,
) {
  await using lease = await catalog.acquire({
    resource: 'pool',
    mode: 'exclusive',
    purpose: 'garbage collection',
    waitMs: 60_000,
    signal: caller,
  })
  const forgotten = await catalog.write((writer) => writer.forgetBlobs(batch, before))
  let freedBytes = 0
  for (const digest of forgotten) {
    lease.signal.throwIfAborted()
    freedBytes += await pool.remove(digest)
  }
  return { removed: forgotten.length, freedBytes }
}

/** A publication that was killed midway leaves a generation in the catalog that is not on disk; it would keep its revision for ever. */
async function forgetLostGenerations(context: AppContext, signal: AbortSignal): Promise<void> {
  const { catalog, publications } = context
  for (const { path } of await catalog.read((reader) => reader.publications())) {
    try {
      await using _lease = await catalog.acquire({
        resource: `publication:${path}`,
        mode: 'exclusive',
        purpose: 'garbage collection',
        waitMs: 0,
        signal,
      })
      const onDisk = new Set((await publications.generations(path)).map(({ name }) => name))
      await catalog.write(async (writer) => {
        const recorded = await writer.generations(path)
        await writer.forgetGenerations(
          path,
          recorded.map(({ generation }) => generation).filter((name) => !onDisk.has(name)),
        )
      })
    } catch (error) {
      // Somebody publishes there right now: what they make is theirs to record.
      if (!isChantalError(error, 'LEASE_HELD')) throw error
    }
  }
}

/**
 * Both sides come in digest order, so one pass pairs them.
 * @throws ChantalError `BLOB_MISSING` for what is reached and not in the pool
 */
async function* pairByDigest(
  blobs: AsyncIterable<BlobInfo>,
  reachable: AsyncIterable<BlobRef>,
): AsyncGenerator<{ readonly blob: BlobInfo; readonly isReachable: boolean }> {
  const roots = reachable[Symbol.asyncIterator]()
  let root = await roots.next()
  for await (const blob of blobs) {
    if (!root.done && root.value.digest < blob.digest) throw reachedButMissing(root.value.digest)
    const isReachable = !root.done && root.value.digest === blob.digest
    yield { blob, isReachable }
    if (isReachable) root = await roots.next()
  }
  if (!root.done) throw reachedButMissing(root.value.digest)
}

function reachedButMissing(digest: Sha256): ChantalError {
  return new ChantalError('BLOB_MISSING', `a blob that is still needed is not in the pool: ${digest}`, {
    hint: 'Nothing was removed. Check that the right disk is mounted, then run `chantal pool verify --repair`.',
    details: { digest },
  })
}
