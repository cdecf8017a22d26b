import type { SnapshotFacts } from '../../catalog/catalog-records.ts'
import type { CatalogWriter } from '../../catalog/catalog-writer.ts'
import type {
  FileInterval,
  ImportedHistory,
  IntervalFile,
  PackageInterval,
  SealedRevision,
} from '../../catalog/intervals.ts'
import { type Checksum, parseChecksum, parseSha256 } from '../../core/digest.ts'
import type { EcosystemId, PackageKey, RepositoryId } from '../../core/model.ts'
import type { PackageVerdict } from '../../core/package-signature.ts'
import { parseRelativePath } from '../../core/path.ts'
import type {
  ExportFileFields,
  ExportItemOf,
  ExportRecord,
  ExportVerdict,
} from '../../transfer/export-schema.ts'

/** The schema has seen to the ids. */
export function decodeRepository({ id, ecosystem, mode }: ExportItemOf<'repository'>) {
  return { id: id as RepositoryId, ecosystem: ecosystem as EcosystemId, mode }
}

export function decodeRevision(item: ExportItemOf<'revision'>, repository: RepositoryId): SealedRevision {
  return {
    repository,
    number: item.number,
    mode: item.mode,
    hasRecords: item.has_records,
    sealedAt: new Date(item.sealed_at),
    packageCount: item.packages,
    totalSize: item.size,
    prunedAt: dateOrNull(item.pruned_at),
  }
}

/** @throws ChantalError `PATH_UNSAFE`, `DIGEST_INVALID` */
export function decodeFile(item: ExportItemOf<'file'>): FileInterval {
  return { file: storedFile(item), addedIn: item.added_in, removedIn: item.removed_in }
}

/** @throws ChantalError `PATH_UNSAFE`, `DIGEST_INVALID` */
export function decodePackage(item: ExportItemOf<'package'>): PackageInterval {
  const [first, ...rest] = item.files.map(storedFile)
  if (!first) throw new Error('the schema lets no package be without files')
  return {
    facts: {
      key: item.key as PackageKey,
      name: item.name,
      version: item.version,
      architecture: item.architecture,
      builtAt: dateOrNull(item.built_at),
      attributes: item.attributes,
    },
    identity: item.identity,
    signature: item.signature
      ? { verdict: decodeVerdict(item.signature.verdict), policy: item.signature.policy }
      : null,
    files: [first, ...rest],
    records: (item.records ?? []).map(decodeRecord),
    addedIn: item.added_in,
    removedIn: item.removed_in,
  }
}

function storedFile({ path, sha256, size, checksums = [] }: ExportFileFields): IntervalFile {
  return {
    path: parseRelativePath(path),
    digest: parseSha256(sha256),
    size,
    checksums: checksums.map(({ algorithm, hex }): Checksum => parseChecksum(algorithm, hex)),
  }
}

function decodeRecord({ part, text, base64 }: ExportRecord) {
  return { part, bytes: text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text) }
}

function decodeVerdict(verdict: ExportVerdict): PackageVerdict {
  const { state } = verdict
  switch (state) {
    case 'good':
      return {
        state,
        fingerprint: verdict.fingerprint,
        keyId: verdict.key_id,
        signedAt: new Date(verdict.signed_at),
      }
    case 'unsigned':
      return { state }
    case 'unknown-key':
      return { state, keyIds: verdict.key_ids }
    case 'unsupported':
    case 'bad':
      return { state, keyId: verdict.key_id, reason: verdict.reason }
  }
}

export function decodeSnapshot(item: ExportItemOf<'snapshot'>): ImportedHistory['snapshots'][number] {
  return { ...decodeFacts(item), revision: item.revision }
}

export function decodeViewSnapshot(
  item: ExportItemOf<'view_snapshot'>,
): Parameters<CatalogWriter['createViewSnapshot']>[0] {
  const members = item.members.map(({ repository, revision }) => ({
    repository: repository as RepositoryId,
    revision,
  }))
  return { ...decodeFacts(item), view: item.view, members }
}

function decodeFacts(item: ExportItemOf<'snapshot' | 'view_snapshot'>): SnapshotFacts {
  return {
    name: item.name,
    createdAt: new Date(item.created_at),
    createdBy: item.created_by,
    description: item.description,
    labels: item.labels,
    isPinned: item.pinned,
  }
}

export function decodeSync(item: ExportItemOf<'sync'>): ImportedHistory['syncs'][number] {
  return {
    kind: item.kind,
    startedAt: new Date(item.started_at),
    finishedAt: new Date(item.finished_at),
    status: item.status,
    revision: item.revision,
    packages: item.packages,
    added: item.added,
    removed: item.removed,
    replaced: item.replaced,
    fetchedFiles: item.fetched_files,
    fetchedBytes: item.fetched_bytes,
    missing: item.missing,
    warnings: item.warnings,
    error: item.error,
    signedBy: item.signed_by,
  }
}

const dateOrNull = (text: string | null) => (text === null ? null : new Date(text))
