import type { BlobRef } from '../../core/bytes.ts'
import type { Sha256 } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import type { AppContext, UseCase } from '../context.ts'
import { ReadRate } from './read-rate.ts'
import { type Damage, notAsked, type Repair, repairBlobs } from './repair-blobs.ts'
import { loadProgress, saveProgress, type VerifyProgress } from './verify-progress.ts'

export interface VerifyPoolInput {
  /** Quarantines what is corrupt, and gets it and what is missing anew: from published trees, or the repositories it came from. */
  readonly repair: boolean
  /** Bytes per second to read at most; `null` is as fast as the disk. */
  readonly rate: number | null
  /** Goes on where an earlier run stopped midway. Default: reads everything. */
  readonly resume?: boolean
}

/** The shape of `pool verify --json`. */
export interface VerifyPoolOutput extends Repair {
  /** By this run. */
  readonly checked: number
  readonly checkedBytes: number
  /** What earlier runs had checked, where this one went on; `null` where it began at the start. */
  readonly resumed: {
    readonly startedAt: Date
    readonly checked: number
    readonly checkedBytes: number
  } | null
  readonly repaired: number
}

/**
 * Reads every blob the catalog knows, and hashes it. Damage is a value: all of it is found and named. Where a run stopped is remembered, by
 * whatever it was stopped, and the next goes on from there.
 */
export const verifyPool: UseCase<VerifyPoolInput, VerifyPoolOutput> = async (context, input, signal) => {
  const earlier = input.resume ? await loadProgress(context) : null
  const progress = new Progress(context, earlier)
  await readAll(context, progress, new ReadRate(input.rate), signal)
  const found = await findDamage(context, progress)
  const { damaged, unreplaced } = await repairBlobs(context, found, input.repair, signal)
  await saveProgress(context, null)
  return {
    checked: progress.checked - (earlier?.checked ?? 0),
    checkedBytes: progress.checkedBytes - (earlier?.checkedBytes ?? 0),
    resumed: earlier && {
      startedAt: earlier.startedAt,
      checked: earlier.checked,
      checkedBytes: earlier.checkedBytes,
    },
    damaged,
    unreplaced,
    repaired: damaged.filter(({ repaired }) => repaired).length,
  }
}

const pageBlobs = 1000
/** In bytes: a process that is killed loses at most what it read since. */
const savedEvery = 1_000_000_000

class Progress implements VerifyProgress {
  readonly #context: AppContext
  #savedBytes: number
  readonly startedAt: Date
  readonly damaged: Sha256[]
  after: Sha256 | null
  checked: number
  checkedBytes: number

  constructor(context: AppContext, earlier: VerifyProgress | null) {
    this.#context = context
    this.startedAt = earlier?.startedAt ?? context.now()
    this.damaged = [...(earlier?.damaged ?? [])]
    this.after = earlier?.after ?? null
    this.checked = earlier?.checked ?? 0
    this.checkedBytes = earlier?.checkedBytes ?? 0
    this.#savedBytes = this.checkedBytes
  }

  async advance({ digest, size }: BlobRef, isSound: boolean): Promise<void> {
    this.after = digest
    this.checked += 1
    this.checkedBytes += size
    if (!isSound) this.damaged.push(digest)
    if (this.checkedBytes - this.#savedBytes > savedEvery) await this.save()
  }

  async save(): Promise<void> {
    this.#savedBytes = this.checkedBytes
    await saveProgress(this.#context, this)
  }
}

async function readAll(context: AppContext, progress: Progress, rate: ReadRate, signal: AbortSignal) {
  const { catalog, pool, reporter } = context
  const { blobs: totalBlobs, blobBytes: totalBytes } = await catalog.read((reader) => reader.counts())
  try {
    while (true) {
      // A page at a time: a state of the catalog that is read from for hours would keep it from tidying up.
      const page = await pageAfter(context, progress)
      for (const blob of page) {
        signal.throwIfAborted()
        const { state } = await pool.check(blob.digest, (bytes) => rate.take(bytes, signal))
        await progress.advance(blob, state === 'sound')
        reporter.report({
          type: 'verify.advanced',
          blobs: progress.checked,
          totalBlobs,
          bytes: progress.checkedBytes,
          totalBytes,
        })
      }
      if (page.length < pageBlobs) return
      await progress.save()
    }
  } catch (error) {
    // What ended the reading is what counts.
    await progress.save().catch(() => {})
    throw error
  }
}

async function pageAfter({ catalog }: AppContext, { after }: VerifyProgress): Promise<readonly BlobRef[]> {
  return catalog.read(async (reader) => {
    const page: BlobRef[] = []
    for await (const blob of reader.blobs(after ?? undefined)) {
      page.push(blob)
      if (page.length === pageBlobs) break
    }
    return page
  })
}

/** What was found, with what the catalog knows of it; what it knows no more is nobody's. */
async function findDamage({ catalog }: AppContext, { damaged }: VerifyProgress): Promise<readonly Damage[]> {
  if (damaged.length === 0) return []
  const checksums = damaged.map((digest) => ({ algorithm: 'sha256' as const, hex: digest }))
  const known = await catalog.read((reader) => reader.blobByChecksum(checksums))
  // Whether it is missing or corrupt, and still is, is looked at once more.
  return known.filter((blob) => blob !== null).map((blob) => ({ blob, state: 'missing' }))
}

/** What a verification that found damage which is still there ends with. */
export function damageError({ damaged, unreplaced }: Repair): ChantalError | null {
  const left = damaged.filter(({ repaired }) => !repaired)
  const [first] = left
  if (!first) return unreplacedError(unreplaced)
  const code = left.some(({ state }) => state === 'corrupt') ? 'BLOB_CORRUPT' : 'BLOB_MISSING'
  return new ChantalError(
    code,
    `${left.length} of the pool's blobs ${left.length === 1 ? 'is' : 'are'} damaged, the first: ${first.digest}`,
    {
      hint: left.some(({ reason }) => reason === notAsked)
        ? 'Run `chantal pool verify --repair` to get them back.'
        : 'Upload again what was uploaded. What neither a published tree nor upstream has any more is in a backup of the pool, or lost: the snapshots that are named cannot be published.',
      details: { damaged: left.length },
    },
  )
}

/** The pool is as it should be, and what is published is not. */
function unreplacedError(unreplaced: Repair['unreplaced']): ChantalError | null {
  const [first] = unreplaced
  if (!first) return null
  const count = unreplaced.length
  return new ChantalError(
    'CATALOG_CORRUPT',
    `${count === 1 ? '1 thing that is' : `${count} things that are`} published could not be replaced, the first: ${first.path}: ${first.reason}`,
    {
      hint: 'Move away what is in the way, or damaged; then run `chantal db verify --deep --repair`, and publish again with `--force` what that leaves.',
      details: { unreplaced: count },
    },
  )
}
