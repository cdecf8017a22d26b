import type { BlobRef } from '../../core/bytes.ts'
import type { AppContext } from '../context.ts'
import { type Damage, type Repair, repairBlobs } from '../pool/repair-blobs.ts'

/** Blobs that may be damaged at a time: each is looked at again, and what it affects is searched. */
const maxDamaged = 10_000

/**
 * Every blob of the catalog against the pool's files, which both come in digest order: whether it is there, and its size.
 * @returns also how many files no row names
 */
export async function compareBlobs(
  context: AppContext,
  repair: boolean,
  signal: AbortSignal,
): Promise<Repair & { readonly unnamed: number }> {
  const found: Damage[] = []
  let unnamed = 0
  await context.catalog.read(async (reader) => {
    const files = context.pool.list()[Symbol.asyncIterator]()
    try {
      let file = await files.next()
      const skipTo = async (blob: BlobRef | null) => {
        for (; !file.done && (blob === null || file.value.digest < blob.digest); file = await files.next())
          unnamed += 1
      }
      for await (const blob of reader.blobs()) {
        signal.throwIfAborted()
        await skipTo(blob)
        const state = file.done || file.value.digest !== blob.digest ? 'missing' : 'corrupt'
        const isSound = state === 'corrupt' && !file.done && file.value.size === blob.size
        if (!isSound && found.length < maxDamaged) found.push({ blob, state })
        if (state === 'corrupt') file = await files.next()
      }
      await skipTo(null)
    } finally {
      await files.return?.()
    }
  })
  return { ...(await repairBlobs(context, found, repair, signal)), unnamed }
}
