import type { Sha256 } from '../../core/digest.ts'
import { isChantalError } from '../../core/errors.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { Pool } from '../../pool/pool.ts'
import type { AppContext } from '../context.ts'

/** Packages of one transaction. */
const batchPackages = 5000
const looksAtOnce = 64

type Parts = Pick<AppContext, 'catalog' | 'pool'>

/** Removes what imports have left that did not come to their end; those that are at work are left alone. */
export async function dropLeftImports(parts: Parts, signal: AbortSignal): Promise<void> {
  const { catalog } = parts
  for (const repository of await catalog.read((reader) => reader.openImports())) {
    try {
      await using lease = await catalog.acquire({
        resource: `repository:${repository}`,
        mode: 'exclusive',
        purpose: `clear up after an import of ${repository}`,
        waitMs: 0,
        signal,
      })
      await dropImport(parts, repository, lease.signal)
    } catch (error) {
      if (!isChantalError(error, 'LEASE_HELD')) throw error
    }
  }
}

/** The caller holds the repository's lease. */
export async function dropImport(parts: Parts, repository: RepositoryId, signal: AbortSignal): Promise<void> {
  while (true) {
    signal.throwIfAborted()
    // Whoever brings one of the blobs into the pool must not come between looking and forgetting.
    await using lease = await parts.catalog.acquire({
      resource: 'pool',
      mode: 'exclusive',
      purpose: `clear up after an import of ${repository}`,
      waitMs: 60_000,
      signal,
    })
    lease.signal.throwIfAborted()
    const { isDone, blobs } = await parts.catalog.write((writer) =>
      writer.dropImport(repository, batchPackages),
    )
    await forgetAbsent(parts, blobs)
    if (isDone) return
  }
}

/** An import names blobs that the pool may not have. Once nothing names them, nothing else would ever forget them. */
async function forgetAbsent({ catalog, pool }: Parts, blobs: readonly Sha256[]): Promise<void> {
  const absent = await absentFrom(pool, blobs)
  if (absent.length > 0) await catalog.write((writer) => writer.forgetBlobs(absent, endOfTime))
}

/** What is not there is of no use, however recently it was wanted. */
const endOfTime = new Date(8.64e15)

export async function absentFrom(pool: Pool, blobs: readonly Sha256[]): Promise<readonly Sha256[]> {
  const absent: Sha256[] = []
  for (let start = 0; start < blobs.length; start += looksAtOnce) {
    const batch = blobs.slice(start, start + looksAtOnce)
    const isThere = await Promise.all(batch.map((digest) => pool.has(digest)))
    absent.push(...batch.filter((_, index) => !isThere[index]))
  }
  return absent
}
