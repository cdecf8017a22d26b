import type { Json } from '../core/brand.ts'
import type { BlobRef } from '../core/bytes.ts'
import type { Checksum, Sha256 } from '../core/digest.ts'
import type { NativeRecord, PackageKey, RepositoryId, StoredFile } from '../core/model.ts'
import type { RelativePath } from '../core/path.ts'
import type { NoteName } from './catalog-reader.ts'
import type { GenerationRecord, SyncRecord } from './catalog-records.ts'
import type { CatalogWriter, NewPackage, OpenRevision } from './catalog-writer.ts'
import { addBlobChecksums, addBlobs, forgetBlobs, touchBlobs } from './changes/blobs.ts'
import { dropImport, openImport, sealImport } from './changes/import-repository.ts'
import { importFiles, importPackages } from './changes/import-rows.ts'
import {
  createSnapshot,
  deleteSnapshot,
  forgetGenerations,
  pinSnapshot,
  saveCheckpoint,
  saveGeneration,
  saveRepository,
  setCurrentGeneration,
} from './changes/names.ts'
import { discardRevision, openRevision, sealRevision } from './changes/open-revision.ts'
import { saveSignatures } from './changes/package-signatures.ts'
import { pruneRevisions } from './changes/prune.ts'
import { addRecords } from './changes/record-chunks.ts'
import { removeRepository } from './changes/remove-repository.ts'
import { addPackages, removePackages, setFiles } from './changes/revision-content.ts'
import { createViewSnapshot, deleteViewSnapshot, pinViewSnapshot } from './changes/view-snapshots.ts'
import type { FileInterval, ImportedHistory, OpenImport, PackageInterval } from './intervals.ts'
import { saveNote } from './queries/notes.ts'
import { addSync } from './queries/syncs.ts'
import { SqlReader } from './sql-reader.ts'

/** Reads and writes in one transaction. */
export class SqlWriter extends SqlReader implements CatalogWriter {
  saveRepository(repository: Parameters<CatalogWriter['saveRepository']>[0]) {
    return saveRepository(this.session, repository)
  }

  saveCheckpoint(repository: RepositoryId, checkpoint: Json, latest: number | null) {
    return saveCheckpoint(this.session, repository, { checkpoint: JSON.stringify(checkpoint), latest })
  }

  openRevision(repository: RepositoryId) {
    return openRevision(this.session, repository)
  }

  saveSignatures(...[revision, signatures]: Parameters<CatalogWriter['saveSignatures']>) {
    return saveSignatures(this.session, revision, signatures)
  }

  addPackages(revision: OpenRevision, packages: readonly NewPackage[]) {
    return addPackages(this.session, revision, packages)
  }

  removePackages(revision: OpenRevision, keys: readonly PackageKey[]) {
    return removePackages(this.session, revision, keys)
  }

  setFiles(revision: OpenRevision, files: readonly StoredFile[]) {
    return setFiles(this.session, revision, files)
  }

  addRecords(revision: OpenRevision, records: readonly NativeRecord[]) {
    return addRecords(this.session, revision, records)
  }

  sealRevision(revision: OpenRevision, sealedAt: Date, checkpoint: Json) {
    return sealRevision(this.session, revision, sealedAt, checkpoint)
  }

  discardRevision(revision: OpenRevision) {
    return discardRevision(this.session, revision)
  }

  openImport(repository: Parameters<CatalogWriter['openImport']>[0]) {
    return openImport(this.session, repository)
  }

  importFiles(repository: OpenImport, files: readonly FileInterval[]) {
    return importFiles(this.session, repository, files)
  }

  importPackages(repository: OpenImport, packages: readonly PackageInterval[]) {
    return importPackages(this.session, repository, packages)
  }

  sealImport(repository: OpenImport, history: ImportedHistory) {
    return sealImport(this.session, repository, history)
  }

  dropImport(repository: RepositoryId, limit: number) {
    return dropImport(this.session, repository, limit)
  }

  createSnapshot(snapshot: Parameters<CatalogWriter['createSnapshot']>[0]) {
    return createSnapshot(this.session, snapshot)
  }

  deleteSnapshot(repository: RepositoryId, name: string) {
    return deleteSnapshot(this.session, repository, name)
  }

  pinSnapshot(repository: RepositoryId, name: string, isPinned: boolean) {
    return pinSnapshot(this.session, repository, name, isPinned)
  }

  createViewSnapshot(snapshot: Parameters<CatalogWriter['createViewSnapshot']>[0]) {
    return createViewSnapshot(this.session, snapshot)
  }

  deleteViewSnapshot(view: string, name: string) {
    return deleteViewSnapshot(this.session, view, name)
  }

  pinViewSnapshot(view: string, name: string, isPinned: boolean) {
    return pinViewSnapshot(this.session, view, name, isPinned)
  }

  saveGeneration(generation: GenerationRecord, isCurrent: boolean) {
    return saveGeneration(this.session, generation, isCurrent)
  }

  forgetGenerations(path: RelativePath, names: readonly string[]) {
    return forgetGenerations(this.session, path, names)
  }

  setCurrentGeneration(path: RelativePath, generation: string) {
    return setCurrentGeneration(this.session, path, generation)
  }

  async holdPublication(path: RelativePath, since: Date | null) {
    const held = { held_since: since?.getTime() ?? null }
    await this.session.db.updateTable('publication').set(held).where('path', '=', path).execute()
  }

  async removePublication(path: RelativePath) {
    await this.session.db.deleteFrom('publication').where('path', '=', path).execute()
  }

  addSync(record: SyncRecord) {
    return addSync(this.session, record)
  }

  saveNote(name: NoteName, note: Json) {
    return saveNote(this.session, name, note)
  }

  touchBlobs(digests: readonly Sha256[], now: Date) {
    return touchBlobs(this.session, digests, now)
  }

  addBlobs(blobs: readonly BlobRef[], now: Date) {
    return addBlobs(this.session, blobs, now)
  }

  addBlobChecksums(checksums: readonly { readonly digest: Sha256; readonly checksum: Checksum }[]) {
    return addBlobChecksums(this.session, checksums)
  }

  forgetBlobs(digests: readonly Sha256[], before: Date) {
    return forgetBlobs(this.session, digests, before)
  }

  pruneRevisions(before: Date, maxRows = Number.POSITIVE_INFINITY) {
    return pruneRevisions(this.session, before, maxRows)
  }

  removeRepository(repository: RepositoryId, removedAt: Date, maxRows = Number.POSITIVE_INFINITY) {
    return removeRepository(this.session, repository, removedAt, maxRows)
  }
}
