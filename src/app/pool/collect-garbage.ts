import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { RelativePath } from '../../core/path.ts'
import type { BlobInfo } from '../../pool/pool.ts'
import type { AppContext, UseCase } from '../context.ts'
import { lostGenerations, reconcilePublication } from '../publish/reconcile-publication.ts'
import { dropLeftImports } from '../transfer/drop-imports.ts'
import { DigestList } from './digest-list.ts'
import { pruneRevisions } from './prune-revisions.ts'

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
 * @throws ChantalError `BLOB_MISSING` where something reaches a blob that is not in the pool: then nothing is removed;
 *   `LEASE_HELD` while another collection runs
 */
export const collectGarbage: UseCase<CollectGarbageInput, CollectGarbageOutput> = async (
  context,
  input,
  caller,
) => {
  await using lease = await context.catalog.acquire({
    resource: 'garbage',
    mode: 'exclusive',
    purpose: 'collect garbage',
    waitMs: 0,
    signal: caller,
  })
  const { signal } = lease
  // What a killed import has left is needed until then: a dry run counts it as such.
  if (!input.dryRun) await dropLeftImports(context, signal)
  const lost = await findLostGenerations(context, input.dryRun, signal)
  const before = await wantedBefore(context, input.graceMs)
  const found = input.dryRun
    ? await preview(context, before, lost, signal)
    : await collect(context, before, signal)
  if (!input.dryRun) {
    await context.pool.sweepTemporary({ ms: Math.max(input.graceMs, dayMs) })
    // Until then whoever takes one over is told of it.
    await context.catalog.dropDeadLeases(new Date(context.now().getTime() - dayMs))
  }
  const { removed, freedBytes, kept } = found
  context.reporter.report({ type: 'gc.finished', removed, freedBytes, kept })
  return { ...found, dryRun: input.dryRun }
}

type Collected = Omit<CollectGarbageOutput, 'dryRun'>

const dayMs = 24 * 3_600_000

/** Clocks of two hosts may differ by so much. */
const clockSkewMs = 60_000

/** Whoever holds one of these relies on what was there when they came. */
const sparing = ['repository:', 'publication:', 'arrivals:']

/**
 * What was last wanted before then may go. However short the grace period, never what a sync or an upload that is at work has found or
 * received and not yet named in a revision, and no revision that somebody is about to publish.
 */
async function wantedBefore({ catalog, now }: AppContext, graceMs: number): Promise<Date> {
  const wanted = now().getTime() - graceMs
  // The dead need nothing spared, and would have it spared for ever where nobody takes over what they held.
  const begun = (await catalog.leases())
    .filter(({ state, health }) => state === 'held' && health !== 'dead')
    .filter(({ resource }) => sparing.some((kind) => resource.startsWith(kind)))
    .map(({ acquiredAt }) => acquiredAt.getTime() - clockSkewMs)
  return new Date(Math.min(wanted, ...begun))
}

async function collect(context: AppContext, before: Date, signal: AbortSignal): Promise<Collected> {
  const { catalog, reached } = context
  const prunedRevisions = await pruneRevisions(catalog, before, signal)
  reached?.('revisions pruned')
  let removed = 0
  let freedBytes = 0
  let listed = 0
  for (let isWhole = false; !isWhole; ) {
    const marked = await catalog.read((reader) => mark(context, reader, before, signal))
    listed = Math.max(listed, marked.listed)
    const removedBefore = removed
    for (const batch of marked.garbage.batches(batchSize)) {
      const swept = await sweep(context, batch, before, signal)
      removed += swept.removed
      freedBytes += swept.freedBytes
    }
    isWhole = marked.isWhole || removed === removedBefore
  }
  return { removed, freedBytes, kept: listed - removed, prunedRevisions }
}

/** What a real run would come to. Only where generations were lost does it write, and takes that back. */
async function preview(
  context: AppContext,
  before: Date,
  lost: readonly LostGenerations[],
  signal: AbortSignal,
): Promise<Collected> {
  const { catalog } = context
  if (lost.every(({ names }) => names.length === 0))
    return catalog.read((reader) => foresee(context, reader, before, signal))
  const rollback = new Error('rolled back')
  let result: Collected = { removed: 0, freedBytes: 0, kept: 0, prunedRevisions: 0 }
  const attempt = catalog.write(async (writer) => {
    for (const { path, names } of lost) await writer.forgetGenerations(path, names)
    result = await foresee(context, writer, before, signal)
    throw rollback
  })
  await attempt.catch((error: unknown) => {
    if (error !== rollback) throw error
  })
  return result
}

async function foresee(
  context: AppContext,
  reader: CatalogReader,
  before: Date,
  signal: AbortSignal,
): Promise<Collected> {
  let removed = 0
  let freedBytes = 0
  const look = async (garbage: readonly Garbage[]) => {
    const digests = garbage.map(({ digest }) => digest)
    const sizes = new Map(garbage.map(({ digest, size }) => [digest, size]))
    for (const digest of await reader.forgettableBlobs(digests, before)) {
      removed += 1
      freedBytes += sizes.get(digest) ?? 0
    }
  }
  let batch: Garbage[] = []
  let listed = 0
  for await (const { blob, isGarbage } of judge(context, reader, before, signal)) {
    listed += 1
    if (!isGarbage) continue
    batch.push({ digest: blob.digest, size: blob.size })
    if (batch.length < batchSize) continue
    await look(batch)
    batch = []
  }
  await look(batch)
  const prunedRevisions = await reader.prunableRevisions(before)
  return { removed, freedBytes, kept: listed - removed, prunedRevisions }
}

type Garbage = Pick<BlobInfo, 'digest' | 'size'>

/** In memory at a time: 16 MB. */
const maxGarbage = 500_000

/** @returns what no root reaches, as much of it as may be in memory, after all was looked at */
async function mark(context: AppContext, reader: CatalogReader, before: Date, signal: AbortSignal) {
  const garbage = new DigestList()
  let listed = 0
  let isWhole = true
  for await (const { blob, isGarbage } of judge(context, reader, before, signal)) {
    listed += 1
    if (!isGarbage) continue
    if (garbage.length < maxGarbage) garbage.push(blob.digest)
    else isWhole = false
  }
  return { garbage, listed, isWhole }
}

/** A file without a row is as old as its name; of a row's blob the catalog knows when it was wanted, and looks when it forgets. */
async function* judge({ pool }: AppContext, reader: CatalogReader, before: Date, signal: AbortSignal) {
  for await (const { blob, isReachable } of pairByDigest(pool.list(), reader.reachableBlobs())) {
    signal.throwIfAborted()
    yield { blob, isGarbage: !isReachable && blob.storedAt <= before }
  }
}

async function sweep(
  { pool, catalog, reached }: AppContext,
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
  reached?.('blobs forgotten')
  let freedBytes = 0
  for (const digest of forgotten) {
    // Removing is one call of the system after another: without a turn for timers the lease would not be renewed, nor its loss be told.
    await nextTurn()
    lease.signal.throwIfAborted()
    freedBytes += await pool.remove(digest)
    reached?.('blobs removed')
  }
  return { removed: forgotten.length, freedBytes }
}

interface LostGenerations {
  readonly path: RelativePath
  readonly names: readonly string[]
}

/**
 * A publication that was killed midway leaves a generation in the catalog that is not on disk; it would keep its revision for ever.
 * @returns what a dry run has left to forget
 */
async function findLostGenerations(
  context: AppContext,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<readonly LostGenerations[]> {
  const { catalog } = context
  const lost: LostGenerations[] = []
  for (const { path } of await catalog.read((reader) => reader.publications())) {
    try {
      await using _lease = await catalog.acquire({
        resource: `publication:${path}`,
        mode: 'exclusive',
        purpose: 'garbage collection',
        waitMs: 0,
        signal,
      })
      if (dryRun) lost.push({ path, names: await lostGenerations(context, path) })
      else await reconcilePublication(context, path)
    } catch (error) {
      // Somebody publishes there right now: what they make is theirs to record.
      if (!isChantalError(error, 'LEASE_HELD')) throw error
    }
  }
  return lost
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
