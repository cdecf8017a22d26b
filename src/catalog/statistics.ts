import type { EcosystemId, RepositoryId, RepositoryMode } from '../core/model.ts'

export interface CatalogCounts {
  readonly repositories: number
  readonly revisions: number
  readonly snapshots: number
  readonly packages: number
  readonly blobs: number
  readonly blobBytes: number
  /** Sum of the sizes of what every kept revision holds, each revision counted for itself: what it would take without sharing. */
  readonly referencedBytes: number
}

/** What stands in the catalog, counted. Sizes are bytes. */
export interface CatalogStatistics {
  /** Sealed and kept. */
  readonly revisions: number
  /** Sealed once, and their content forgotten since. */
  readonly prunedRevisions: number
  readonly snapshots: number
  readonly publications: number
  readonly generations: number
  /** Rows: one for each time a package came or changed. */
  readonly packages: number
  readonly packageFiles: number
  readonly repositoryFiles: number
  readonly recordChunks: number
  /** Compressed. */
  readonly recordBytes: number
  readonly syncs: number
  readonly blobs: number
  readonly blobBytes: number
  /** What kept revisions hold, each counted for itself. */
  readonly referencedBytes: number
  /** What published paths show, each counted for itself. */
  readonly publishedBytes: number
  /** In order of their ids. */
  readonly byRepository: readonly RepositoryStatistics[]
  /** In order of their names. */
  readonly byEcosystem: readonly EcosystemStatistics[]
  /** Months in which anything was synced or sealed, oldest first. */
  readonly months: readonly GrowthStatistics[]
}

export interface RepositoryStatistics {
  readonly repository: RepositoryId
  readonly ecosystem: EcosystemId
  readonly mode: RepositoryMode
  readonly revisions: number
  readonly snapshots: number
  /** Of the latest revision. */
  readonly packages: number
  readonly sizeBytes: number
  readonly packageRows: number
  readonly referencedBytes: number
  /** Distinct blobs that its rows name. */
  readonly heldBytes: number
  /** Of these, what no other repository's rows name: what would be free without it. */
  readonly ownBytes: number
}

export interface EcosystemStatistics {
  readonly ecosystem: EcosystemId
  readonly repositories: number
  readonly revisions: number
  readonly snapshots: number
  readonly packages: number
  readonly sizeBytes: number
  readonly referencedBytes: number
  readonly heldBytes: number
}

export interface CatalogActivity {
  /** Sealed, also those whose content was forgotten since. */
  readonly revisions: number
  readonly syncs: number
  readonly fetchedFiles: number
  readonly fetchedBytes: number
}

/** What happened in a month (UTC), and what there was at its end. */
export interface GrowthStatistics extends CatalogActivity {
  /** `2026-08` */
  readonly month: string
  readonly packagesAdded: number
  readonly packagesRemoved: number
  /** Of the revisions that were the latest at its end, all repositories' that are still known. */
  readonly packages: number
  readonly sizeBytes: number
}
