import type { UseCase } from '../context.ts'

/** The shape of `pool stats --json`. */
export interface PoolStats {
  readonly path: string
  readonly blobs: number
  readonly sizeBytes: number
  readonly freeBytes: number
  /** What kept revisions hold, each counted for itself. */
  readonly referencedBytes: number
  /** Referenced over stored: how often a byte is used; `null` for an empty pool. */
  readonly dedupeRatio: number | null
}

/** Of the catalog's rows: what `pool verify` checks against the disk. */
export const poolStats: UseCase<object, PoolStats> = async ({ catalog, pool, settings }) => {
  const { blobs, blobBytes, referencedBytes } = await catalog.read((reader) => reader.counts())
  return {
    path: settings.storage.poolPath,
    blobs,
    sizeBytes: blobBytes,
    freeBytes: await pool.freeSpace(),
    referencedBytes,
    dedupeRatio: blobBytes === 0 ? null : referencedBytes / blobBytes,
  }
}
