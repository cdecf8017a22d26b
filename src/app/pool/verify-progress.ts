import * as z from 'zod'
import type { Json } from '../../core/brand.ts'
import { parseSha256, type Sha256 } from '../../core/digest.ts'
import type { AppContext } from '../context.ts'

/** How far a verification of the pool has come, over all runs that took part in it. */
export interface VerifyProgress {
  readonly startedAt: Date
  /** The last blob that was read; `null` before the first. */
  readonly after: Sha256 | null
  readonly checked: number
  readonly checkedBytes: number
  /** What was found not to be sound. */
  readonly damaged: readonly Sha256[]
}

const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform(parseSha256)

const progressSchema = z.strictObject({
  started_at: z.iso.datetime().transform((text) => new Date(text)),
  after: digest,
  checked: z.int().min(0),
  checked_bytes: z.int().min(0),
  damaged: z.array(digest),
})

/** With more found it is remembered only up to here: the note would grow with the damage. */
const mostDamaged = 1000

/** What an interrupted run left; `null` where none did, or where what it left cannot be read. */
export async function loadProgress({ catalog }: Pick<AppContext, 'catalog'>): Promise<VerifyProgress | null> {
  const parsed = progressSchema.safeParse(await catalog.read((reader) => reader.note('pool verify')))
  if (!parsed.success) return null
  const { started_at, after, checked, checked_bytes, damaged } = parsed.data
  return { startedAt: started_at, after, checked, checkedBytes: checked_bytes, damaged }
}

/** @param progress `null` once all is read */
export async function saveProgress(
  { catalog }: Pick<AppContext, 'catalog'>,
  progress: VerifyProgress | null,
): Promise<void> {
  if (progress && (progress.after === null || progress.damaged.length > mostDamaged)) return
  await catalog.write((writer) => writer.saveNote('pool verify', progress && noteOf(progress)))
}

function noteOf({ startedAt, after, checked, checkedBytes, damaged }: VerifyProgress): Json {
  return {
    started_at: startedAt.toISOString(),
    after,
    checked,
    checked_bytes: checkedBytes,
    damaged,
  }
}
