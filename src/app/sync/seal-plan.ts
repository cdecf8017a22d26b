import type { OpenRevision } from '../../catalog/catalog-writer.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import type { Json } from '../../core/brand.ts'
import type { BlobRef } from '../../core/bytes.ts'
import type {
  NativeRecord,
  PackageKey,
  Revision,
  StoredFile,
  UpstreamFile,
  UpstreamPackage,
} from '../../core/model.ts'
import type { PackageSignature } from '../../core/package-signature.ts'
import { keepsRecords } from '../configured.ts'
import type { AppContext } from '../context.ts'
import type { ChangedListing } from './read-upstream.ts'
import { type RevisionDraft, storedFile } from './revision-draft.ts'

/** Native records are small, or as large as all the others together: their batches count bytes too. */
const batchRecords = 8000
const batchRecordBytes = 4 * 1024 ** 2

export interface SealPlanInput {
  readonly settings: RepositorySettings
  /** With every package that the revision is to have and the latest does not. */
  readonly draft: RevisionDraft
  /** The packages of the draft. */
  readonly arriving: readonly Pick<UpstreamPackage, 'key'>[]
  /** Gives the native records of what arrives. */
  readonly listing: Pick<ChangedListing, 'records'>
  /** What the revision holds besides packages. */
  readonly files: readonly (UpstreamFile | StoredFile)[]
  /** Every fetched file. */
  readonly blobs: ReadonlyMap<UpstreamFile, BlobRef>
  /** Of packages that are held, and were checked anew. */
  readonly verdicts: ReadonlyMap<PackageKey, PackageSignature>
  readonly latest: Revision | null
  readonly checkpoint: Json
}

/**
 * Completes the next revision and seals it. Where nothing differs from the latest one, that is kept and only the checkpoint moves on.
 * Every blob is in the pool already.
 */
export async function sealPlan(
  context: AppContext,
  input: SealPlanInput,
  signal: AbortSignal,
): Promise<{ readonly revision: Revision; readonly isNew: boolean }> {
  const { catalog } = context
  const { settings, draft, arriving, latest, verdicts, checkpoint } = input
  const files = input.files.flatMap((file) => storedFile(file, input.blobs) ?? [])
  if (latest && verdicts.size > 0) await catalog.write((writer) => writer.saveSignatures(latest, verdicts))

  const withRecords = keepsRecords(context.settings, settings)
  const isAlike = latest?.mode === settings.mode && (latest.hasRecords || !withRecords)
  if (isAlike && !draft.isChanged) {
    const held = await catalog.read((reader) => reader.files(latest))
    if (areSameFiles(held, files)) {
      await catalog.write((writer) => writer.saveCheckpoint(settings.id, checkpoint, latest.number))
      return { revision: latest, isNew: false }
    }
  }

  const revision = await draft.open()
  context.reached?.('packages added')
  // A mirror has upstream's own documents, and generates none for itself.
  if (withRecords) await addRecords(context, revision, input.listing, arriving, signal)
  context.reached?.('records added')
  signal.throwIfAborted()
  const sealed = await catalog.write(async (writer) => {
    await writer.setFiles(revision, files)
    return writer.sealRevision(revision, context.now(), checkpoint)
  })
  draft.keep()
  context.reached?.('revision sealed')
  return { revision: sealed, isNew: true }
}

async function addRecords(
  { catalog }: AppContext,
  revision: OpenRevision,
  listing: Pick<ChangedListing, 'records'>,
  arriving: readonly Pick<UpstreamPackage, 'key'>[],
  signal: AbortSignal,
): Promise<void> {
  if (arriving.length === 0) return
  let batch: NativeRecord[] = []
  let bytes = 0
  let writing: Promise<void> = Promise.resolve()
  // One batch is compressed and written while the next is read.
  const flush = async () => {
    const records = batch
    batch = []
    bytes = 0
    await writing
    writing = step(signal, () => catalog.write((writer) => writer.addRecords(revision, records)))
    writing.catch(() => {})
  }
  const wanted: ReadonlySet<PackageKey> = new Set(arriving.map(({ key }) => key))
  try {
    for await (const record of listing.records(wanted)) {
      batch.push(record)
      bytes += record.bytes.byteLength
      if (batch.length >= batchRecords || bytes >= batchRecordBytes) await flush()
    }
    await flush()
  } finally {
    await writing
  }
}

async function step(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  signal.throwIfAborted()
  await work()
}

function areSameFiles(held: readonly StoredFile[], now: readonly StoredFile[]): boolean {
  const digests = new Map(held.map(({ path, digest }) => [path, digest]))
  return held.length === now.length && now.every(({ path, digest }) => digests.get(path) === digest)
}
