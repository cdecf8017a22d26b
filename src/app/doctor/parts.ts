import type { CatalogDatabase } from '../../catalog/catalog-database.ts'
import type { RepositorySettings, Settings, SigningSettings } from '../../config/settings.ts'
import type { UpstreamProbe } from '../../download/downloader.ts'
import type { PoolMarker } from '../../pool/pool-marker.ts'
import type { KeyFacts } from '../../sign/key-facts.ts'

/** What a doctor looks at. Opening it makes nothing, and works where catalog or pool do not. */
export interface DoctorParts {
  readonly settings: Settings
  readonly database: CatalogDatabase
  readonly poolMarker: PoolMarker
  /** Asks a repository's upstream for its root, once. `null` for a hosted one. @throws ChantalError `UPSTREAM_...`, `CONFIG_INVALID` */
  readonly probe: (repository: RepositorySettings, signal: AbortSignal) => Promise<UpstreamProbe | null>
  /** Keys that upstream is checked against. @throws ChantalError `CONFIG_INVALID` */
  readonly verifyKeys: (repository: RepositorySettings) => Promise<readonly KeyFacts[]>
  /** @throws ChantalError `CONFIG_INVALID` */
  readonly signingKey: (signing: SigningSettings) => Promise<KeyFacts>
  readonly disk: (folder: string) => Promise<DiskFacts>
  readonly now: () => Date
}

/** A file system, at a folder of it. */
export interface DiskFacts {
  /** Equal for folders of one file system: hard links lead no further. */
  readonly device: number
  readonly freeBytes: number
  readonly totalBytes: number
  readonly freeInodes: number
  /** 0 where the file system makes them as needed. */
  readonly totalInodes: number
}
