import { isUtf8 } from 'node:buffer'
import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type {
  RepositoryRecord,
  SnapshotFacts,
  SnapshotRecord,
  SyncRecord,
  ViewSnapshotRecord,
} from '../../catalog/catalog-records.ts'
import type { IntervalFile, PackageInterval, SealedRevision } from '../../catalog/intervals.ts'
import type { PackageVerdict } from '../../core/package-signature.ts'
import type {
  ExportFileFields,
  ExportItem,
  ExportItemOf,
  ExportRecord,
  ExportVerdict,
} from '../../transfer/export-schema.ts'

/** A repository as an export has it, in a stable order: itself, its revisions, files, packages, snapshots and history. */
export async function* encodeRepository(
  reader: CatalogReader,
  repository: RepositoryRecord,
): AsyncGenerator<ExportItem> {
  const { id, ecosystem, mode, checkpoint } = repository
  yield { type: 'repository', id, ecosystem, mode, checkpoint }
  if (!repository.latest) return
  for (const revision of await reader.sealedRevisions(id)) yield encodeRevision(revision)
  for await (const { file, addedIn, removedIn } of reader.fileIntervals(id))
    yield { type: 'file', ...encodeFile(file), added_in: addedIn, removed_in: removedIn }
  for await (const pkg of reader.packageIntervals(id)) yield encodePackage(pkg)
  for (const snapshot of (await reader.snapshots(id)).toSorted(byCreation)) yield encodeSnapshot(snapshot)
  // The reader has the newest first.
  for (const sync of (await reader.syncs(id, Number.MAX_SAFE_INTEGER)).toReversed()) yield encodeSync(sync)
}

function encodeRevision(revision: SealedRevision): ExportItemOf<'revision'> {
  return {
    type: 'revision',
    number: revision.number,
    mode: revision.mode,
    has_records: revision.hasRecords,
    sealed_at: revision.sealedAt.toISOString(),
    packages: revision.packageCount,
    size: revision.totalSize,
    pruned_at: revision.prunedAt?.toISOString() ?? null,
  }
}

function encodeFile({ path, digest, size, checksums }: IntervalFile): ExportFileFields {
  const others = checksums.flatMap(({ algorithm, hex }) =>
    algorithm === 'sha256' ? [] : [{ algorithm, hex }],
  )
  return { path, sha256: digest, size, ...(others.length > 0 && { checksums: others }) }
}

function encodePackage(pkg: PackageInterval): ExportItemOf<'package'> {
  const { facts, identity, signature, files, records, addedIn, removedIn } = pkg
  return {
    type: 'package',
    key: facts.key,
    name: facts.name,
    version: facts.version,
    architecture: facts.architecture,
    built_at: facts.builtAt?.toISOString() ?? null,
    identity,
    attributes: facts.attributes,
    ...(signature && {
      signature: { verdict: encodeVerdict(signature.verdict), policy: signature.policy },
    }),
    files: files.map(encodeFile),
    ...(records.length > 0 && { records: records.map(encodeRecord) }),
    added_in: addedIn,
    removed_in: removedIn,
  }
}

function encodeVerdict(verdict: PackageVerdict): ExportVerdict {
  const { state } = verdict
  switch (state) {
    case 'good':
      return {
        state,
        fingerprint: verdict.fingerprint,
        key_id: verdict.keyId,
        signed_at: verdict.signedAt.toISOString(),
      }
    case 'unsigned':
      return { state }
    case 'unknown-key':
      return { state, key_ids: [...verdict.keyIds] }
    case 'unsupported':
    case 'bad':
      return { state, key_id: verdict.keyId, reason: verdict.reason }
  }
}

function encodeRecord({ part, bytes }: PackageInterval['records'][number]): ExportRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(buffer)
    ? { part, text: buffer.toString('utf8') }
    : { part, base64: buffer.toString('base64') }
}

export function byCreation(a: SnapshotFacts, b: SnapshotFacts): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a.name < b.name ? -1 : 1)
}

function encodeSnapshot(snapshot: SnapshotRecord): ExportItemOf<'snapshot'> {
  return {
    type: 'snapshot',
    name: snapshot.name,
    revision: snapshot.revision.number,
    ...encodeFacts(snapshot),
  }
}

export function encodeViewSnapshot({
  view,
  revisions,
  ...snapshot
}: ViewSnapshotRecord): ExportItemOf<'view_snapshot'> {
  return {
    type: 'view_snapshot',
    view,
    name: snapshot.name,
    members: revisions.map(({ repository, number }) => ({ repository, revision: number })),
    ...encodeFacts(snapshot),
  }
}

function encodeFacts(snapshot: SnapshotFacts) {
  return {
    created_at: snapshot.createdAt.toISOString(),
    created_by: snapshot.createdBy,
    description: snapshot.description,
    labels: snapshot.labels,
    pinned: snapshot.isPinned,
  }
}

function encodeSync(sync: SyncRecord): ExportItemOf<'sync'> {
  return {
    type: 'sync',
    kind: sync.kind,
    started_at: sync.startedAt.toISOString(),
    finished_at: sync.finishedAt.toISOString(),
    status: sync.status,
    revision: sync.revision,
    packages: sync.packages,
    added: sync.added,
    removed: sync.removed,
    replaced: sync.replaced,
    fetched_files: sync.fetchedFiles,
    fetched_bytes: sync.fetchedBytes,
    missing: [...sync.missing],
    warnings: [...sync.warnings],
    error: sync.error,
    signed_by: sync.signedBy,
  }
}
