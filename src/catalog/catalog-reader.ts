import type { Json } from '../core/brand.ts'
import type { BlobRef } from '../core/bytes.ts'
import type { Checksum, Sha256 } from '../core/digest.ts'
import type {
  EcosystemId,
  PackageKey,
  PackageOutline,
  RecordTerms,
  RepositoryId,
  Revision,
  RevisionPackage,
  StoredFile,
  StoredPackage,
} from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { HeldPackage } from '../core/plan.ts'
import type {
  FileChanges,
  GenerationRecord,
  PackageChange,
  PublicationRecord,
  RepositoryRecord,
  SnapshotName,
  SnapshotRecord,
  SnapshotUse,
  SyncRecord,
  ViewSnapshotRecord,
} from './catalog-records.ts'
import type { FileInterval, PackageInterval, SealedRevision } from './intervals.ts'
import type { CatalogActivity, CatalogCounts, CatalogStatistics } from './statistics.ts'

export interface PackageQuery {
  /** Shell pattern over names or keys: `*`, `?`, `[...]`; case counts. */
  readonly pattern?: string
  /** A file of the package has this digest. */
  readonly digest?: Sha256
  /** Its signature was not checked under this policy, or was not good. */
  readonly notGoodUnder?: string
  /** Its key is one of these: a few thousand at most. */
  readonly among?: readonly PackageKey[]
}

/** Work that is remembered beyond its process: where a verification of the pool stopped. */
export type NoteName = 'pool verify'

/** Of one kind of trouble no more are listed. */
export const maxFlaws = 1000

/** Something in the catalog that cannot be. */
export interface CatalogFlaw {
  readonly check: 'file' | 'schema' | 'reference' | 'interval' | 'revision' | 'record'
  /** `null` where it belongs to none. */
  readonly repository: RepositoryId | null
  /** What it is about: a table, a revision, a package's key. */
  readonly subject: string
  readonly message: string
}

export interface CatalogReader {
  /** Named in the configuration and synced or published at least once. `null` where the catalog has not seen it. */
  repository(id: RepositoryId): Promise<RepositoryRecord | null>
  repositories(): Promise<readonly RepositoryRecord[]>

  /** A sealed revision whose content is still kept; `null` otherwise. */
  revision(repository: RepositoryId, number: number): Promise<Revision | null>
  /** The sealed and kept revision that was latest at `time`. */
  revisionAt(repository: RepositoryId, time: Date): Promise<Revision | null>
  /** Sealed and kept, oldest first. */
  revisions(repository: RepositoryId): Promise<readonly Revision[]>

  /** In key order, a page at a time: a revision can hold a million packages. */
  packages(revision: Revision, query?: PackageQuery): AsyncIterable<RevisionPackage>
  /** In key order, a page at a time. */
  outlines(revision: Revision): AsyncIterable<readonly PackageOutline[]>
  /** Key and identity of every package of the revision: what planning the next sync needs. */
  heldPackages(revision: Revision): Promise<ReadonlyMap<PackageKey, HeldPackage>>
  /** Files of packages, in the order of their keys, a page at a time. */
  packageFiles(revision: Revision): AsyncIterable<readonly StoredFile[]>
  /** Of one repository. Costs the difference. */
  changedFiles(before: Revision, after: Revision): Promise<FileChanges>
  /** What else it holds, in path order. */
  files(revision: Revision): Promise<readonly StoredFile[]>
  /** One part of every package's native record, in key order; `null` for a package without that part. */
  records(
    revision: Revision,
    part: string,
    terms?: RecordTerms,
  ): AsyncIterable<{ readonly key: PackageKey; readonly bytes: Uint8Array | null }>
  /** Packages of any kept revision of any repository that match, newest revision first, at most `limit`. */
  searchPackages(
    query: PackageQuery,
    limit: number,
  ): Promise<readonly { readonly package: StoredPackage; readonly revisions: readonly number[] }[]>
  /**
   * In key order. Within one repository it costs the difference; between two, both contents.
   */
  diff(before: Revision, after: Revision): AsyncIterable<PackageChange>

  /** Every sealed revision, oldest first; also those whose content is not kept. */
  sealedRevisions(repository: RepositoryId): Promise<readonly SealedRevision[]>
  /** What sealed revisions hold besides packages, each with the revisions that hold it. In order of paths and revisions. */
  fileIntervals(repository: RepositoryId): AsyncIterable<FileInterval>
  /** Every package of sealed revisions with its native records, once, and the revisions that hold it. In order of keys and revisions. */
  packageIntervals(repository: RepositoryId): AsyncIterable<PackageInterval>
  /** Repositories that are being imported, or were when a process died. */
  openImports(): Promise<readonly RepositoryId[]>

  snapshot(repository: RepositoryId, name: string): Promise<SnapshotRecord | null>
  /** In order of creation. Of one repository, or of all. */
  snapshots(repository?: RepositoryId): Promise<readonly SnapshotRecord[]>
  viewSnapshot(view: string, name: string): Promise<ViewSnapshotRecord | null>
  /** In order of creation. Of one view, or of all, also of those that are not configured any more. */
  viewSnapshots(view?: string): Promise<readonly ViewSnapshotRecord[]>
  /** What each snapshot is used by, of repositories and of views, by `ID@NAME`. One that nothing uses is not in it. */
  snapshotUses(): Promise<ReadonlyMap<string, readonly SnapshotUse[]>>

  publication(path: RelativePath): Promise<PublicationRecord | null>
  publications(): Promise<readonly PublicationRecord[]>
  generations(path: RelativePath): Promise<readonly GenerationRecord[]>

  /** Newest first. Of one repository, or of all. */
  syncs(repository: RepositoryId | null, limit: number): Promise<readonly SyncRecord[]>

  /** What was noted last; `null` where there is nothing. */
  note(name: NoteName): Promise<Json>

  /** The blob that once arrived with this checksum, where it is still known. */
  blobByChecksum(checksums: readonly Checksum[]): Promise<readonly (BlobRef | null)[]>

  /** Digests any root reaches: latest revisions, snapshots, published generations, open revisions. In digest order. */
  reachableBlobs(): AsyncIterable<BlobRef>
  /** What no root would reach any more without these snapshots, in digest order. */
  blobsOnlyIn(snapshots: readonly SnapshotName[]): AsyncIterable<BlobRef>
  /** Every blob with a row, in digest order. @param after where to go on: those of greater digests alone */
  blobs(after?: Sha256): AsyncIterable<BlobRef>
  /** Who needs these blobs: for naming what missing or corrupt ones affect. In order of repository and path. */
  blobUsers(...digests: readonly Sha256[]): Promise<
    readonly {
      readonly digest: Sha256
      readonly repository: RepositoryId
      readonly path: RelativePath
      readonly key: PackageKey | null
      readonly revisions: readonly number[]
    }[]
  >

  /** How many revisions `pruneRevisions` would forget. */
  prunableRevisions(before: Date): Promise<number>
  /** What `forgetBlobs` would drop. */
  forgettableBlobs(digests: readonly Sha256[], before: Date): Promise<readonly Sha256[]>

  counts(): Promise<CatalogCounts>
  /** Everything in figures. Reads every row that names a blob, a few at a time. */
  statistics(): Promise<CatalogStatistics>
  /** What was sealed and synced from `since` on. */
  activitySince(since: Date): Promise<CatalogActivity>
  /**
   * What contradicts itself: rows that name what is not there, intervals, counts and sizes of revisions, native records. Nothing where all is
   * well. Of one kind of trouble at most {@link maxFlaws}.
   * @param requiredParts of the native record of every package of a revision that has them, by ecosystem
   */
  flaws(requiredParts: ReadonlyMap<EcosystemId, readonly string[]>): AsyncIterable<CatalogFlaw>
}
