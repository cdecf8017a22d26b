import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import { inFlight } from '../../core/in-flight.ts'
import type { ReceivedBlob } from '../../pool/pool.ts'
import type { PublishedTrouble } from '../../publish/publications.ts'
import type { AppContext } from '../context.ts'
import { keepBlobs } from '../keep-blobs.ts'
import { type Affected, affectedBy } from './affected.ts'
import { BlobSources } from './blob-sources.ts'

/** A blob that is not as the catalog needs it, and what that affects. */
export interface DamagedBlob extends Affected {
  readonly digest: Sha256
  readonly state: 'missing' | 'corrupt'
  readonly repaired: boolean
  /** Why it could not be repaired. */
  readonly reason: string | null
}

/** What a look at damaged blobs came to. */
export interface Repair {
  /** What is still damaged, or was until now. */
  readonly damaged: readonly DamagedBlob[]
  /** Published files that should have got the bytes of repaired blobs, and have not; and where such may be, since what lists them cannot be read. */
  readonly unreplaced: readonly PublishedTrouble[]
}

export interface Damage {
  readonly blob: BlobRef
  readonly state: 'missing' | 'corrupt'
}

/**
 * Looks again at what was found, names what it affects, and with `repair` sets corrupt blobs aside and gets them anew: from published trees that
 * still have them, or from the repositories they came from. Published files that are hard links to what was set aside get the sound bytes too.
 */
export async function repairBlobs(
  context: AppContext,
  found: readonly Damage[],
  repair: boolean,
  signal: AbortSignal,
): Promise<Repair> {
  const left = await stillDamaged(context, found)
  const affected = await context.catalog.read((reader) =>
    affectedBy(
      reader,
      left.map(({ blob }) => blob.digest),
    ),
  )
  const reasons = repair ? await getAnew(context, left, signal) : null
  const damaged = left.map(({ blob: { digest }, state }): DamagedBlob => {
    const reason = reasons ? (reasons.get(digest) ?? null) : notAsked
    return { digest, state, repaired: reason === null, reason, ...(affected.get(digest) ?? nobody) }
  })
  const repaired = new Set(damaged.filter((blob) => blob.repaired).map(({ digest }) => digest))
  const unreplaced = repaired.size > 0 ? await context.publications.replaceFiles(repaired) : []
  return { damaged, unreplaced }
}

/** So many are asked for at once, and so many let into the pool together: each time costs two flushes of the disk. */
const askedAtOnce = 8
const keptTogether = 200

/** @returns why some could not be had */
async function getAnew(
  context: AppContext,
  left: readonly Damage[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Sha256, string>> {
  const reasons = new Map<Sha256, string>()
  let received: ReceivedBlob[] = []
  await using sources = await BlobSources.find(
    context,
    left.map(({ blob }) => blob),
  )
  const ask = async ({ blob, state }: Damage, own: AbortSignal) => {
    if (state === 'corrupt') await context.pool.quarantine(blob.digest)
    return { digest: blob.digest, got: await sources.fetch(blob, own) }
  }
  const drop = async ({ got }: { readonly got: ReceivedBlob | string }) => {
    if (typeof got !== 'string') await got[Symbol.asyncDispose]()
  }
  try {
    for await (const { digest, got } of inFlight(left, askedAtOnce, ask, drop, signal)) {
      if (typeof got === 'string') reasons.set(digest, got)
      else received.push(got)
      if (received.length < keptTogether) continue
      await keepBlobs(context, received, signal)
      received = []
    }
    await keepBlobs(context, received, signal)
    received = []
  } finally {
    for (const blob of received) await blob[Symbol.asyncDispose]()
  }
  return reasons
}

/** The reason of what was only looked at. */
export const notAsked = 'not asked to: --repair does'

const nobody: Affected = { files: [], snapshots: [], publications: [] }

/** Garbage collection may have removed what was still known when the reading began, and a sync may have replaced it. */
async function stillDamaged(
  { catalog, pool }: AppContext,
  found: readonly Damage[],
): Promise<readonly Damage[]> {
  if (found.length === 0) return []
  const checksums = found.map(({ blob }) => ({ algorithm: 'sha256' as const, hex: blob.digest }))
  const known = await catalog.read((reader) => reader.blobByChecksum(checksums))
  const left: Damage[] = []
  for (const [index, { blob }] of found.entries()) {
    if (!known[index]) continue
    const { state } = await pool.check(blob.digest)
    if (state !== 'sound') left.push({ blob, state })
  }
  return left
}
