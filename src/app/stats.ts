import type { UseCase } from './context.ts'
import { type PoolStats, poolStats } from './pool/pool-stats.ts'
import { listRepositories, type RepositoryView } from './repository/list-repositories.ts'

/** The shape of `chantal stats --json`. */
export interface Stats {
  readonly configuredRepositories: number
  readonly syncedRepositories: number
  readonly revisions: number
  readonly snapshots: number
  readonly publications: number
  readonly packages: number
  readonly pool: PoolStats
  readonly repositories: readonly RepositoryView[]
}

/** The whole installation in figures. */
export const stats: UseCase<object, Stats> = async (context, _, signal) => {
  const { counts, publications } = await context.catalog.read(async (reader) => ({
    counts: await reader.counts(),
    publications: await reader.publications(),
  }))
  return {
    configuredRepositories: context.settings.repositories.length,
    syncedRepositories: counts.repositories,
    revisions: counts.revisions,
    snapshots: counts.snapshots,
    publications: publications.length,
    packages: counts.packages,
    pool: await poolStats(context, {}, signal),
    repositories: await listRepositories(context, { type: null, pattern: null }, signal),
  }
}
