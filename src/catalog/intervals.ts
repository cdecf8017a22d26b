import type { Json } from '../core/brand.ts'
import type { Checksum, Sha256 } from '../core/digest.ts'
import type { NativeRecord, PackageFacts, RepositoryId, Revision, StoredFile } from '../core/model.ts'
import type { PackageSignature } from '../core/package-signature.ts'
import type { SnapshotRecord, SyncRecord } from './catalog-records.ts'

/** A revision that was sealed, whether its content is kept or not. */
export interface SealedRevision extends Revision {
  /** When its content was forgotten; `null` while it is kept. */
  readonly prunedAt: Date | null
}

/** Belongs to the revisions `addedIn <= n < removedIn`; `removedIn` null: to all from `addedIn` on. */
export interface Interval {
  readonly addedIn: number
  readonly removedIn: number | null
}

export interface IntervalFile extends StoredFile {
  /** Other than SHA-256 that the blob once arrived with, in order of algorithms. */
  readonly checksums: readonly Checksum[]
}

/** A file that belongs to no package, and the revisions that hold it. */
export interface FileInterval extends Interval {
  readonly file: IntervalFile
}

/** A package, and the revisions that hold it. */
export interface PackageInterval extends Interval {
  readonly facts: PackageFacts
  readonly identity: string
  readonly signature: PackageSignature | null
  readonly files: readonly [IntervalFile, ...IntervalFile[]]
  /** In order of parts; none for packages of revisions without. */
  readonly records: readonly Omit<NativeRecord, 'key'>[]
}

/** A repository that is being imported: its rows are there, and nobody but garbage collection sees them. */
export interface OpenImport {
  readonly repository: RepositoryId
}

/** A part of what an import has left. */
export interface DroppedRows {
  /** Whether nothing is left. */
  readonly isDone: boolean
  /** That the rows named; the pool may never have had them. */
  readonly blobs: readonly Sha256[]
}

/** What makes an imported repository one: all but its files and packages. */
export interface ImportedHistory {
  /** Numbered from 1 without gaps; the last is kept. None for one that was never synced. */
  readonly revisions: readonly SealedRevision[]
  readonly checkpoint: Json
  readonly snapshots: readonly (Omit<SnapshotRecord, 'revision' | 'repository'> & {
    readonly revision: number
  })[]
  /** Oldest first. */
  readonly syncs: readonly Omit<SyncRecord, 'repository'>[]
}
