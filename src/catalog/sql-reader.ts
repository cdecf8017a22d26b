import type { Checksum, Sha256 } from '../core/digest.ts'
import type { EcosystemId, RecordTerms, RepositoryId, Revision } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { CatalogReader, NoteName, PackageQuery } from './catalog-reader.ts'
import type { SnapshotName } from './catalog-records.ts'
import type { Session } from './engine.ts'
import { findFlaws } from './flaws/find-flaws.ts'
import {
  blobsByChecksum,
  blobUsers,
  forgettableBlobs,
  streamBlobs,
  streamBlobsOnlyIn,
  streamReachableBlobs,
} from './queries/blobs.ts'
import { countAll } from './queries/counts.ts'
import { diffRevisions } from './queries/diff.ts'
import { readActivity } from './queries/growth.ts'
import { openImports } from './queries/imports.ts'
import { sealedRevisions, streamFileIntervals, streamPackageIntervals } from './queries/intervals.ts'
import { findNote } from './queries/notes.ts'
import { streamOutlines } from './queries/outlines.ts'
import { changedFiles, streamPackageFiles } from './queries/package-files.ts'
import { heldPackages, revisionFiles, streamPackages } from './queries/packages.ts'
import { findGenerations, findPublications } from './queries/publications.ts'
import { streamRecords } from './queries/records.ts'
import { findRepositories } from './queries/repositories.ts'
import { countPrunable, keptRevision, keptRevisions, revisionAt } from './queries/revisions.ts'
import { searchPackages } from './queries/search-packages.ts'
import { findSnapshotUses } from './queries/snapshot-uses.ts'
import { findSnapshots } from './queries/snapshots.ts'
import { readStatistics } from './queries/statistics.ts'
import { findSyncs } from './queries/syncs.ts'
import { findViewSnapshots } from './queries/view-snapshots.ts'

/** Reads in one transaction. */
export class SqlReader implements CatalogReader {
  protected readonly session: Session

  constructor(session: Session) {
    this.session = session
  }

  async repository(id: RepositoryId) {
    return (await findRepositories(this.session, id))[0] ?? null
  }

  repositories() {
    return findRepositories(this.session, null)
  }

  revision(repository: RepositoryId, number: number) {
    return keptRevision(this.session, repository, number)
  }

  revisionAt(repository: RepositoryId, time: Date) {
    return revisionAt(this.session, repository, time)
  }

  revisions(repository: RepositoryId) {
    return keptRevisions(this.session, repository)
  }

  packages(revision: Revision, query?: PackageQuery) {
    return streamPackages(this.session, revision, query)
  }

  packageFiles(revision: Revision) {
    return streamPackageFiles(this.session, revision)
  }

  changedFiles(before: Revision, after: Revision) {
    return changedFiles(this.session, before, after)
  }

  outlines(revision: Revision) {
    return streamOutlines(this.session, revision)
  }

  heldPackages(revision: Revision) {
    return heldPackages(this.session, revision)
  }

  files(revision: Revision) {
    return revisionFiles(this.session, revision)
  }

  records(revision: Revision, part: string, terms?: RecordTerms) {
    return streamRecords(this.session, revision, part, terms)
  }

  searchPackages(query: PackageQuery, limit: number) {
    return searchPackages(this.session, query, limit)
  }

  diff(before: Revision, after: Revision) {
    return diffRevisions(this.session, before, after)
  }

  sealedRevisions(repository: RepositoryId) {
    return sealedRevisions(this.session, repository)
  }

  fileIntervals(repository: RepositoryId) {
    return streamFileIntervals(this.session, repository)
  }

  packageIntervals(repository: RepositoryId) {
    return streamPackageIntervals(this.session, repository)
  }

  openImports() {
    return openImports(this.session)
  }

  async snapshot(repository: RepositoryId, name: string) {
    return (await findSnapshots(this.session, { repository, name }))[0] ?? null
  }

  snapshots(repository?: RepositoryId) {
    return findSnapshots(this.session, { repository })
  }

  async viewSnapshot(view: string, name: string) {
    return (await findViewSnapshots(this.session, { view, name }))[0] ?? null
  }

  viewSnapshots(view?: string) {
    return findViewSnapshots(this.session, { view })
  }

  snapshotUses() {
    return findSnapshotUses(this.session)
  }

  async publication(path: RelativePath) {
    return (await findPublications(this.session, path))[0] ?? null
  }

  publications() {
    return findPublications(this.session, null)
  }

  generations(path: RelativePath) {
    return findGenerations(this.session, path)
  }

  syncs(repository: RepositoryId | null, limit: number) {
    return findSyncs(this.session, repository, limit)
  }

  note(name: NoteName) {
    return findNote(this.session, name)
  }

  blobByChecksum(checksums: readonly Checksum[]) {
    return blobsByChecksum(this.session, checksums)
  }

  reachableBlobs() {
    return streamReachableBlobs(this.session)
  }

  blobsOnlyIn(snapshots: readonly SnapshotName[]) {
    return streamBlobsOnlyIn(this.session, snapshots)
  }

  blobs(after?: Sha256) {
    return streamBlobs(this.session, after)
  }

  blobUsers(...digests: readonly Sha256[]) {
    return blobUsers(this.session, digests)
  }

  prunableRevisions(before: Date) {
    return countPrunable(this.session, before)
  }

  forgettableBlobs(digests: readonly Sha256[], before: Date) {
    return forgettableBlobs(this.session, digests, before)
  }

  counts() {
    return countAll(this.session)
  }

  statistics() {
    return readStatistics(this.session)
  }

  activitySince(since: Date) {
    return readActivity(this.session, since)
  }

  flaws(requiredParts: ReadonlyMap<EcosystemId, readonly string[]>) {
    return findFlaws(this.session, requiredParts)
  }
}
