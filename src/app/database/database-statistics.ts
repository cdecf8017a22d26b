import type { CatalogStatistics } from '../../catalog/statistics.ts'
import type { UseCase } from '../context.ts'

/** The shape of `db stats --json`. */
export interface DatabaseStatistics extends CatalogStatistics {
  readonly engine: 'sqlite' | 'postgresql'
  /** Of the database itself. */
  readonly sizeBytes: number
  /** How often a stored byte is used by kept revisions; `null` while nothing is stored. */
  readonly dedupeRatio: number | null
  /** How often a stored byte is published. */
  readonly publishedRatio: number | null
  /** What the last days brought. */
  readonly recent: readonly RecentGrowth[]
}

export interface RecentGrowth {
  readonly days: number
  readonly revisions: number
  readonly syncs: number
  readonly fetchedFiles: number
  readonly fetchedBytes: number
}

const periods = [1, 7, 30]
const dayMs = 24 * 60 * 60 * 1000

/** Catalog and pool in figures, from rows alone: what `db verify` compares with the disk. */
export const databaseStatistics: UseCase<object, DatabaseStatistics> = async ({ catalog, settings, now }) => {
  const sizeBytes = await catalog.size()
  const today = now().getTime()
  return catalog.read(async (reader) => {
    const statistics = await reader.statistics()
    const recent: RecentGrowth[] = []
    for (const days of periods)
      recent.push({ days, ...(await reader.activitySince(new Date(today - days * dayMs))) })
    const ratio = (bytes: number) => (statistics.blobBytes === 0 ? null : bytes / statistics.blobBytes)
    return {
      ...statistics,
      engine: settings.database.kind,
      sizeBytes,
      dedupeRatio: ratio(statistics.referencedBytes),
      publishedRatio: ratio(statistics.publishedBytes),
      recent,
    }
  })
}
