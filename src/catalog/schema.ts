import type { Generated } from 'kysely'
import type { ChecksumAlgorithm, Sha256 } from '../core/digest.ts'
import type { EcosystemId, PackageKey, RepositoryId, RepositoryMode } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { ChangeKind, SyncStatus } from './catalog-records.ts'

/**
 * The tables as the newest migration leaves them, for both engines. Times are milliseconds since 1970, sizes bytes,
 * JSON is text. `repository` in a row is the repository's `pk`.
 *
 * A `package` or `repository_file` row belongs to the revisions `added_in <= n < removed_in`; `removed_in` null: to all from `added_in` on.
 */
export interface Tables {
  migration: { number: number; name: string; applied_at: number }
  meta: { name: string; value: string }
  repository: RepositoryTable
  revision: RevisionTable
  package: PackageTable
  package_file: { package: number; position: number; path: RelativePath; blob: number }
  package_record: { package: number; part: string; chunk: number; position: number }
  repository_file: RepositoryFileTable
  record_chunk: RecordChunkTable
  blob: BlobTable
  blob_checksum: { algorithm: ChecksumAlgorithm; hex: string; blob: number }
  snapshot: SnapshotTable
  view_snapshot: ViewSnapshotTable
  view_snapshot_member: { snapshot: number; position: number; repository: number; revision: number }
  publication: { path: RelativePath; current: string | null; held_since: number | null }
  generation: GenerationTable
  generation_source: {
    generation: number
    position: number
    repository: number
    revision: number
    source: string
  }
  sync: SyncTable
  lease: LeaseTable
}

interface RepositoryTable {
  pk: Generated<number>
  id: RepositoryId
  ecosystem: EcosystemId
  mode: RepositoryMode
  /** Number of the latest sealed revision. */
  latest: number | null
  checkpoint: string
  /** 0 or 1: whether the next revision comes with native records. */
  has_records: Generated<number>
}

interface RevisionTable {
  repository: number
  number: number
  mode: RepositoryMode
  /** `null` while it is open. */
  sealed_at: number | null
  package_count: number
  total_size: number
  /** `null` while it is kept; negative while rows that only it showed may be left. */
  pruned_at: number | null
  /** 0 or 1: whether there are native records of its packages. */
  has_records: Generated<number>
  /** Counts up whenever something is made to point here; see `pinRevision`. */
  pins: number
  /** Whoever is making it, while it is open. */
  opened_by: string | null
}

interface PackageTable {
  pk: Generated<number>
  repository: number
  key: PackageKey
  name: string
  version: string
  architecture: string | null
  built_at: number | null
  identity: string
  attributes: string
  /** A `PackageVerdict`. */
  signature: string | null
  signature_policy: string | null
  added_in: number
  removed_in: number | null
}

interface RepositoryFileTable {
  pk: Generated<number>
  repository: number
  path: RelativePath
  blob: number
  added_in: number
  removed_in: number | null
}

interface RecordChunkTable {
  pk: Generated<number>
  repository: number
  added_in: number
  /** How many of its fragments a package still names. */
  live: number
  data: Uint8Array
}

interface BlobTable {
  pk: Generated<number>
  digest: Sha256
  size: number
  wanted_at: number
}

interface SnapshotTable {
  pk: Generated<number>
  repository: number
  name: string
  revision: number
  created_at: number
  description: string | null
  labels: string
  created_by: string | null
  /** 0 or 1. */
  pinned: Generated<number>
}

interface ViewSnapshotTable {
  pk: Generated<number>
  view: string
  name: string
  created_at: number
  description: string | null
  labels: string
  created_by: string | null
  /** 0 or 1. */
  pinned: number
}

interface GenerationTable {
  pk: Generated<number>
  publication: RelativePath
  name: string
  published_at: number
  packages: number
  files: number
  signed_by: string | null
  fingerprint: string
}

interface SyncTable {
  pk: Generated<number>
  /** The repository's id: history outlives what it tells of. */
  repository: RepositoryId
  kind: Generated<ChangeKind>
  started_at: number
  finished_at: number
  status: SyncStatus
  revision: number | null
  packages: number
  added: number
  removed: number
  replaced: number
  fetched_files: number
  fetched_bytes: number
  missing: string
  warnings: string
  error: string | null
  signed_by: string | null
}

interface LeaseTable {
  pk: Generated<number>
  resource: string
  mode: 'shared' | 'exclusive'
  state: 'held' | 'waiting'
  purpose: string
  host: string
  machine: string
  boot: string
  namespace: string
  pid: number
  process_start: string
  acquired_at: number
  expires_at: number
  /** What the holder knows it by. */
  token: string | null
}
