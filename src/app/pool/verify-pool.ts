import { setTimeout as wait } from 'node:timers/promises'
import { accessOf } from '../../config/access.ts'
import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { AppContext, UseCase } from '../context.ts'
import { keepBlobs } from '../keep-blobs.ts'
import { publishedPaths } from '../snapshot/list-snapshots.ts'

export interface VerifyPoolInput {
  /** Quarantines what is corrupt, and fetches it and what is missing anew from the repositories it came from. */
  readonly repair: boolean
  /** Bytes per second to read at most; `null` is as fast as the disk. */
  readonly rate: number | null
}

/** A blob that is not as the catalog needs it, and what that affects. */
export interface DamagedBlob {
  readonly digest: Sha256
  readonly state: 'missing' | 'corrupt'
  readonly repaired: boolean
  /** Why it could not be repaired. */
  readonly reason: string | null
  /** Where it belongs: `repository: path`. */
  readonly files: readonly string[]
  readonly snapshots: readonly string[]
  readonly publications: readonly string[]
}

/** The shape of `pool verify --json`. */
export interface VerifyPoolOutput {
  readonly checked: number
  readonly checkedBytes: number
  readonly damaged: readonly DamagedBlob[]
  readonly repaired: number
}

/** Reads every blob the catalog knows, and hashes it. Damage is a value: all of it is found and named. */
export const verifyPool: UseCase<VerifyPoolInput, VerifyPoolOutput> = async (context, input, signal) => {
  const { catalog, pool, reporter } = context
  const { blobs: totalBlobs, blobBytes: totalBytes } = await catalog.read((reader) => reader.counts())
  const damaged: DamagedBlob[] = []
  let checked = 0
  let checkedBytes = 0
  const startedAt = performance.now()
  const found: Damage[] = []
  await catalog.read(async (reader) => {
    for await (const blob of reader.blobs()) {
      signal.throwIfAborted()
      const health = await pool.check(blob.digest)
      if (health.state !== 'sound') found.push({ blob, state: health.state })
      checked += 1
      checkedBytes += blob.size
      reporter.report({
        type: 'verify.advanced',
        blobs: checked,
        totalBlobs,
        bytes: checkedBytes,
        totalBytes,
      })
      if (input.rate !== null) {
        const due = (checkedBytes / input.rate) * 1000 - (performance.now() - startedAt)
        if (due > 10) await wait(due, undefined, { signal })
      }
    }
  })
  for (const { blob, state } of await stillDamaged(context, found))
    damaged.push(await handleDamage(context, blob, state, input.repair, signal))
  // Published files are hard links to what was set aside: they get the sound bytes too.
  const repaired = new Set(damaged.filter((blob) => blob.repaired).map(({ digest }) => digest))
  if (repaired.size > 0) await context.publications.replaceFiles(repaired)
  return { checked, checkedBytes, damaged, repaired: repaired.size }
}

interface Damage {
  readonly blob: BlobRef
  readonly state: 'missing' | 'corrupt'
}

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

async function handleDamage(
  context: AppContext,
  blob: BlobRef,
  state: 'missing' | 'corrupt',
  repair: boolean,
  signal: AbortSignal,
): Promise<DamagedBlob> {
  const { digest } = blob
  const affected = await affectedBy(context, digest)
  const reason = repair ? await fetchAnew(context, blob, state, signal) : 'not asked to: --repair does'
  return { digest, state, repaired: reason === null, reason, ...affected }
}

/** @returns `null` once the pool holds sound bytes, or why it cannot */
async function fetchAnew(
  context: AppContext,
  { digest, size }: BlobRef,
  state: 'missing' | 'corrupt',
  signal: AbortSignal,
): Promise<string | null> {
  if (state === 'corrupt') await context.pool.quarantine(digest)
  const users = await context.catalog.read((reader) => reader.blobUsers(digest))
  let reason = 'no configured repository has it'
  for (const { repository, path } of users) {
    const settings = context.settings.repositories.find(({ id }) => id === repository)
    const access = settings && accessOf(settings)
    if (!access) continue
    try {
      await using client = await context.downloader.open(access, signal)
      const expect = { size, checksums: [{ algorithm: 'sha256' as const, hex: digest }], maxSize: size }
      const result = await client.fetch({ path, location: path, expect }, null, signal)
      if (result.status !== 'fetched') continue
      await using received = result.blob
      await keepBlobs(context, [received], signal)
      return null
    } catch (error) {
      if (!isChantalError(error)) throw error
      reason = `${repository}: ${error.message}`
    }
  }
  return reason
}

async function affectedBy({ catalog }: AppContext, digest: Sha256) {
  return catalog.read(async (reader) => {
    const published = await publishedPaths(reader)
    const users = await reader.blobUsers(digest)
    const snapshots = new Set<string>()
    const publications = new Set<string>()
    for (const { repository, revisions } of users) {
      const touched = new Set(revisions)
      for (const { name, revision } of await reader.snapshots(repository)) {
        if (touched.has(revision.number)) snapshots.add(`${repository}@${name}`)
      }
      for (const number of revisions) {
        for (const path of published.get(`${repository} ${number}`) ?? []) publications.add(path)
      }
    }
    return {
      files: users.map(({ repository, path }) => `${repository}: ${path}`),
      snapshots: [...snapshots].sort(),
      publications: [...publications].sort(),
    }
  })
}

/** What a verification that found damage which is still there ends with. */
export function damageError({ damaged }: VerifyPoolOutput): ChantalError | null {
  const left = damaged.filter(({ repaired }) => !repaired)
  const [first] = left
  if (!first) return null
  const code = left.some(({ state }) => state === 'corrupt') ? 'BLOB_CORRUPT' : 'BLOB_MISSING'
  return new ChantalError(
    code,
    `${left.length} of the pool's blobs ${left.length === 1 ? 'is' : 'are'} damaged, the first: ${first.digest}`,
    {
      hint: 'Run `chantal pool verify --repair` to fetch them anew.',
      details: { damaged: left.length },
    },
  )
}
