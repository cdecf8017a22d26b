import type { Json } from '../core/brand.ts'
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
import type { CatalogReader, NoteName } from './catalog-reader.ts'
import type { GenerationRecord, SnapshotRecord, SyncRecord, ViewSnapshotRecord } from './catalog-records.ts'
import type { DroppedRows, FileInterval, ImportedHistory, OpenImport, PackageInterval } from './intervals.ts'

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
  /**
   * @param latest the revision that it speaks of
   * @throws ChantalError `LEASE_LOST` where another is latest by now
   */
  saveCheckpoint(repository: RepositoryId, checkpoint: Json, latest: number | null): Promise<void>

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
   * Drops the rows of those of `digests` that nothing reaches, that nobody wanted since `before` and no revision has that was superseded since.
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
  /** Whoever is taken over has its revision discarded, and the next has the same number. */
  readonly openedBy: string
}
