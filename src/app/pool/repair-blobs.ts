import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import type { PublishedTrouble } from '../../publish/publications.ts'
import type { AppContext } from '../context.ts'
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
  const damaged: DamagedBlob[] = []
  await using sources = await BlobSources.find(context, repair ? left.map(({ blob }) => blob) : [])
  for (const { blob, state } of left) {
    if (repair && state === 'corrupt') await context.pool.quarantine(blob.digest)
    const reason = repair ? await sources.fetch(blob, signal) : notAsked
    const { digest } = blob
    damaged.push({ digest, state, repaired: reason === null, reason, ...(affected.get(digest) ?? nobody) })
  }
  const repaired = new Set(damaged.filter((blob) => blob.repaired).map(({ digest }) => digest))
  const unreplaced = repaired.size > 0 ? await context.publications.replaceFiles(repaired) : []
  return { damaged, unreplaced }
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
