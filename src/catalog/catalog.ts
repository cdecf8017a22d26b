import type { Json, JsonObject } from '../core/brand.ts'
import type { BlobRef } from '../core/bytes.ts'
import type { Checksum, Sha256 } from '../core/digest.ts'
import type {
  EcosystemId,
  NativeRecord,
  PackageKey,
  RepositoryId,
  RepositoryMode,
  Revision,
  StoredFile,
  StoredPackage,
} from '../core/model.ts'
import type { PackageSignature } from '../core/package-signature.ts'
import type { RelativePath } from '../core/path.ts'
import type { HeldPackage } from '../core/plan.ts'
import type {
  DroppedRows,
  FileInterval,
  ImportedHistory,
  OpenImport,
  PackageInterval,
  SealedRevision,
} from './intervals.ts'

/**
 * What we know: repositories, their revisions, snapshots, publications, sync history, and which blobs all of these need.
 * SQL behind an interface: SQLite for one host, PostgreSQL for more. Knows no ecosystem: attributes are JSON to it.
 *
 * A row names a blob only after `Pool.keep` resolved, so every blob named here is on disk; only an import names what it was told of.
 */
export interface Catalog extends AsyncDisposable {
  /** Made once, with the catalog, or taken over from an export. The pool's marker file carries it. A UUID. */
  readonly id: string

  /** Takes over another catalog's id. @returns whether it did: only while this one knows no revision, blob or publication */
  adoptId(id: string): Promise<boolean>

  /** Reads from one consistent state. */
  read<T>(work: (reader: CatalogReader) => Promise<T>): Promise<T>

  /** One transaction: all of it or nothing. `work` may run twice after a conflict, so it only talks to the writer. */
  write<T>(work: (writer: CatalogWriter) => Promise<T>): Promise<T>

  /**
   * Waits up to `waitMs`, then @throws ChantalError `LEASE_HELD` naming the holder.
   * Renewed in the background. A holder that died on this host is replaced at once, any other after {@link LeaseTerms.ttlMs}
   * without renewal; then `tookOverFrom` names it.
   */
  acquire(request: LeaseRequest): Promise<Lease>

  /** In bytes, on the disk of the file or of the server. */
  size(): Promise<number>

  /**
   * Gives back what deleted rows took, and makes the planner's statistics anew. Nobody else is at work: the caller holds the lease `catalog`.
   * SQLite writes the file anew, which takes as much free space once more and keeps writers out meanwhile.
   */
  vacuum(): Promise<void>

  /** What differs from the schema that the migrations make, and what the database itself finds wrong with its file. */
  schemaFlaws(): Promise<readonly CatalogFlaw[]>
}

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

/**
 * - `pool`: shared while blobs get their names, exclusive while garbage loses them. Both for moments, not for a sync.
 * - `repository:<id>`, `publication:<path>`, `shelf:<repository>`: exclusive, one writer each.
 * - `garbage`: exclusive, one collection at a time: what one marks the other may be sweeping.
 * - `catalog`: exclusive, for work on the database as a whole. Granted only while nobody holds or waits for any lease, and never
 *   waited for: whoever is at work may have to take another lease before it can end. Meanwhile no other is granted.
 *
 * A waiting exclusive request holds back new shared ones, so it is served in the end.
 */
export type LeaseResource =
  | 'catalog'
  | 'pool'
  | 'garbage'
  | `repository:${string}`
  | `publication:${string}`
  | `shelf:${string}`

export interface LeaseRequest {
  readonly resource: LeaseResource
  readonly mode: 'shared' | 'exclusive'
  /** Shown to whoever is kept waiting: `sync epel9`. */
  readonly purpose: string
  readonly waitMs: number
  readonly signal: AbortSignal
}

export interface LeaseTerms {
  readonly ttlMs: number
  readonly renewEveryMs: number
}

export interface Lease extends AsyncDisposable {
  /** Aborts with `LEASE_LOST` before anyone else can hold the resource, or with the request's own signal. Pass it to all work done under the lease. */
  readonly signal: AbortSignal
  /** The dead holder that this lease replaced. */
  readonly tookOverFrom: LeaseHolder | null
  /** Gives the lease back. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface LeaseHolder {
  readonly resource: string
  readonly mode: 'shared' | 'exclusive'
  readonly state: 'held' | 'waiting'
  readonly purpose: string
  readonly host: string
  readonly pid: number
  readonly acquiredAt: Date
  readonly expiresAt: Date
}

export interface RepositoryRecord {
  readonly id: RepositoryId
  readonly ecosystem: EcosystemId
  readonly mode: RepositoryMode
  /** `null` before the first sync. */
  readonly latest: Revision | null
  /** The engine's note of upstream at the latest revision; also updated by a sync that found nothing new. */
  readonly checkpoint: Json
}

/** What is known of any snapshot. */
export interface SnapshotFacts {
  /** Each once of its repository or view. */
  readonly name: string
  readonly createdAt: Date
  readonly description: string | null
  readonly labels: Readonly<Record<string, string>>
  /** `user@host`; `null` where it was made before that was noted. */
  readonly createdBy: string | null
  /** Kept whatever the retention policy says, until it is unpinned. */
  readonly isPinned: boolean
}

export interface SnapshotRecord extends SnapshotFacts {
  readonly repository: RepositoryId
  readonly revision: Revision
}

/** Freezes one revision of every member of a view. */
export interface ViewSnapshotRecord extends SnapshotFacts {
  readonly view: string
  /** In the order that the members had. */
  readonly revisions: readonly [Revision, ...Revision[]]
}

export type SnapshotName =
  | Pick<SnapshotRecord, 'repository' | 'name'>
  | Pick<ViewSnapshotRecord, 'view' | 'name'>

/** What needs a snapshot. */
export type SnapshotUse =
  /** A generation of this path that is on disk shows what it froze. */
  | { readonly kind: 'publication'; readonly path: RelativePath }
  /** A view's snapshot, `NAME@SNAPSHOT`, froze the same revision of the repository. */
  | { readonly kind: 'view snapshot'; readonly source: string }

export type PackageChange =
  | { readonly change: 'added'; readonly after: StoredPackage }
  | { readonly change: 'removed'; readonly before: StoredPackage }
  /** Same key, other identity. */
  | { readonly change: 'replaced'; readonly before: StoredPackage; readonly after: StoredPackage }

export interface PackageQuery {
  /** Shell pattern over names or keys: `*`, `?`, `[...]`; case counts. */
  readonly pattern?: string
  /** A file of the package has this digest. */
  readonly digest?: Sha256
  /** Its signature was not checked under this policy. */
  readonly notCheckedUnder?: string
}

export type SyncStatus = 'synced' | 'unchanged' | 'partial' | 'failed'

export interface MissingFile {
  readonly path: string
  readonly url: string
  readonly reason: string
}

/** What changed a repository: its upstream, or a `package` command. */
export type ChangeKind = 'sync' | 'upload' | 'copy' | 'remove'

/** One run of `repo sync` or of a `package` command, as history keeps it. */
export interface SyncRecord {
  readonly repository: RepositoryId
  readonly kind: ChangeKind
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly status: SyncStatus
  /** The repository's latest revision after it: a number, or `null`. */
  readonly revision: number | null
  readonly packages: number
  readonly added: number
  readonly removed: number
  readonly replaced: number
  readonly fetchedFiles: number
  readonly fetchedBytes: number
  readonly missing: readonly MissingFile[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
    readonly details: JsonObject
  } | null
  /** Whose signature on the metadata was good; `null` where none was asked for. */
  readonly signedBy: string | null
}

/** A revision that a publication shows or has just shown. */
export interface SourceRef {
  readonly repository: RepositoryId
  readonly revision: number
  /** As the user named it: `ID`, `ID@SNAPSHOT`, `ID@TIME`. */
  readonly source: string
}

export interface GenerationRecord {
  readonly path: RelativePath
  readonly generation: string
  readonly publishedAt: Date
  readonly sources: readonly SourceRef[]
  readonly packages: number
  readonly files: number
  readonly signedBy: string | null
  /** Equal for equal input (revision, options, key): what makes publishing again `unchanged`. */
  readonly fingerprint: string
}

export interface PublicationRecord {
  readonly path: RelativePath
  /** The generation that clients see; `null` while the first is being made. */
  readonly current: GenerationRecord | null
  /** Set by a rollback: publishing is refused until `publish release`. */
  readonly heldSince: Date | null
}

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

/** Work that is remembered beyond its process: where a verification of the pool stopped. */
export type NoteName = 'pool verify'

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
  packages(revision: Revision, query?: PackageQuery): AsyncIterable<StoredPackage>
  /** Key and identity of every package of the revision: what planning the next sync needs. */
  heldPackages(revision: Revision): Promise<ReadonlyMap<PackageKey, HeldPackage>>
  /** What else it holds, in path order. */
  files(revision: Revision): Promise<readonly StoredFile[]>
  /**
   * One part of every package's native record, in key order; `null` for a package without that part.
   * @param terms.areBorrowed bytes last until the next are asked for. Their memory is given back at once then: much less work where
   * there are hundreds of megabytes
   */
  records(
    revision: Revision,
    part: string,
    terms?: { readonly areBorrowed: boolean },
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

  leases(): Promise<readonly LeaseHolder[]>

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

export interface NewPackage extends Omit<StoredPackage, 'repository' | 'signature'> {
  /** Absent: never checked. */
  readonly signature?: PackageSignature | null
}

export interface CatalogWriter extends CatalogReader {
  /** Records the repository, or on which terms its next revision is made. @throws ChantalError `CONFIG_INVALID` where it was of another ecosystem */
  saveRepository(repository: {
    readonly id: RepositoryId
    readonly ecosystem: EcosystemId
    readonly mode: RepositoryMode
    /** Default: unless it is a mirror. */
    readonly hasRecords?: boolean
  }): Promise<void>
  saveCheckpoint(repository: RepositoryId, checkpoint: Json): Promise<void>

  /**
   * Starts the next revision from the latest one's content, or from nothing. What a dead process left open is discarded first.
   * A root for garbage collection at once, and invisible to readers until sealed. The caller holds the repository's lease.
   */
  openRevision(repository: RepositoryId): Promise<OpenRevision>
  /** Notes what checking packages of a sealed revision came to. Other revisions that hold the same package show it too. */
  saveSignatures(revision: Revision, signatures: ReadonlyMap<PackageKey, PackageSignature>): Promise<void>
  /** Each key once and not in the revision. */
  addPackages(revision: OpenRevision, packages: readonly NewPackage[]): Promise<void>
  removePackages(revision: OpenRevision, keys: readonly PackageKey[]): Promise<void>
  /** Replaces what the revision holds besides packages. */
  setFiles(revision: OpenRevision, files: readonly StoredFile[]): Promise<void>
  /** Native records of packages that were added to this revision before. Called in batches; each batch becomes compressed chunks. */
  addRecords(revision: OpenRevision, records: readonly NativeRecord[]): Promise<void>
  /** Makes it immutable and the repository's latest. */
  sealRevision(revision: OpenRevision, sealedAt: Date, checkpoint: Json): Promise<Revision>
  /** For a sync that failed; also for one found dead. */
  discardRevision(revision: OpenRevision): Promise<void>

  /**
   * Begins a repository that comes whole from elsewhere. What is added to it is safe from garbage collection at once, and
   * invisible until sealed. The caller holds the repository's lease, and has dropped what was left of an earlier import.
   */
  openImport(repository: {
    readonly id: RepositoryId
    readonly ecosystem: EcosystemId
    readonly mode: RepositoryMode
  }): Promise<OpenImport>
  /** Blobs come first, as everywhere. @throws ChantalError `IMPORT_INVALID` where sizes or checksums contradict what the catalog knows of a blob */
  importFiles(repository: OpenImport, files: readonly FileInterval[]): Promise<void>
  /** @throws as `importFiles` */
  importPackages(repository: OpenImport, packages: readonly PackageInterval[]): Promise<void>
  /** Makes it a repository. @throws ChantalError `ALREADY_EXISTS` where there is one with a revision by now */
  sealImport(repository: OpenImport, history: ImportedHistory): Promise<void>
  /** Removes what an import that was not sealed has left, up to `limit` packages of it. Nothing being there is fine. */
  dropImport(repository: RepositoryId, limit: number): Promise<DroppedRows>

  /** @throws ChantalError `ALREADY_EXISTS` */
  createSnapshot(
    snapshot: Omit<SnapshotRecord, 'revision'> & { readonly revision: number },
  ): Promise<SnapshotRecord>
  /** Absent is fine. */
  deleteSnapshot(repository: RepositoryId, name: string): Promise<void>
  /** @returns whether there is such a snapshot */
  pinSnapshot(repository: RepositoryId, name: string, isPinned: boolean): Promise<boolean>

  /** @throws ChantalError `ALREADY_EXISTS`; `NOT_FOUND` where a revision is not kept */
  createViewSnapshot(
    snapshot: Omit<ViewSnapshotRecord, 'revisions'> & {
      /** In order; at least one. */
      readonly members: readonly { readonly repository: RepositoryId; readonly revision: number }[]
    },
  ): Promise<ViewSnapshotRecord>
  /** Absent is fine. */
  deleteViewSnapshot(view: string, name: string): Promise<void>
  /** @returns whether there is such a snapshot */
  pinViewSnapshot(view: string, name: string, isPinned: boolean): Promise<boolean>

  /**
   * Makes the revisions of a generation roots for as long as it is on disk. Called before its first file is placed,
   * and again with `isCurrent` once it is switched to.
   */
  saveGeneration(generation: GenerationRecord, isCurrent: boolean): Promise<void>
  /** Of generations no longer on disk. */
  forgetGenerations(path: RelativePath, names: readonly string[]): Promise<void>
  setCurrentGeneration(path: RelativePath, generation: string): Promise<void>
  holdPublication(path: RelativePath, since: Date | null): Promise<void>
  /** With all its generations. */
  removePublication(path: RelativePath): Promise<void>

  addSync(record: SyncRecord): Promise<void>

  /** @param note `null` forgets it */
  saveNote(name: NoteName, note: Json): Promise<void>

  /**
   * Notes that these blobs are wanted now: garbage collection leaves a blob alone for the grace period after its
   * last touch. Kept here and not as a file's mtime, which hard links share with published files and HTTP caches read.
   * @returns those we hold; the others have to be fetched
   */
  touchBlobs(digests: readonly Sha256[], now: Date): Promise<ReadonlySet<Sha256>>
  /** Records blobs the pool has just kept. They count as touched. */
  addBlobs(blobs: readonly BlobRef[], now: Date): Promise<void>
  /** So that a repository whose checksums are not SHA-256 is not fetched again at every sync. */
  addBlobChecksums(
    checksums: readonly { readonly digest: Sha256; readonly checksum: Checksum }[],
  ): Promise<void>
  /**
   * Drops the rows of those of `digests` that nothing reaches and nobody wanted since `before`.
   * @returns what was dropped; also digests that never had a row, unless something reaches them. The caller holds the pool's exclusive lease
   */
  forgetBlobs(digests: readonly Sha256[], before: Date): Promise<readonly Sha256[]>

  /**
   * Forgets the content of revisions that are no root and were superseded before `before`: their rows, and native records that no
   * package needs any more.
   * @param maxRows package rows that this transaction deletes at most; whoever hears that it is not done calls again in another
   */
  pruneRevisions(before: Date, maxRows?: number): Promise<PruneStep>

  /**
   * Forgets a repository with all its revisions; the history of its syncs stays. The caller holds its lease.
   * @param maxRows as of `pruneRevisions`. After the first step it holds nothing any more, however many are left
   * @throws ChantalError `USAGE_INVALID` while a snapshot or a publication shows it
   */
  removeRepository(
    repository: RepositoryId,
    removedAt: Date,
    maxRows?: number,
  ): Promise<{ readonly isDone: boolean }>
}

export interface PruneStep {
  /** Revisions that nobody sees any more since this step. */
  readonly revisions: number
  readonly isDone: boolean
}

/** A revision in the making. */
export interface OpenRevision {
  readonly repository: RepositoryId
  readonly number: number
}
