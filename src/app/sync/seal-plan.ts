import type { NewPackage, OpenRevision } from '../../catalog/catalog-writer.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import type { Json } from '../../core/brand.ts'
import type { BlobRef } from '../../core/bytes.ts'
import { isChantalError } from '../../core/errors.ts'
import type {
  NativeRecord,
  PackageKey,
  Revision,
  StoredFile,
  UpstreamFile,
  UpstreamPackage,
} from '../../core/model.ts'
import type { SyncPlan } from '../../core/plan.ts'
import { keepsRecords } from '../configured.ts'
import type { AppContext } from '../context.ts'
import type { ChangedListing } from './read-upstream.ts'
import type { VerifiedPackages } from './verify-packages.ts'

/** Rows of one transaction: enough to be quick, few enough that other writers get their turn. */
const batchRows = 1000
/** Native records are small, or as large as all the others together: their batches count bytes too. */
const batchRecords = 8000
const batchRecordBytes = 4 * 1024 ** 2

export interface SealPlanInput {
  readonly settings: RepositorySettings
  readonly plan: SyncPlan
  /** Gives the native records of what arrives. */
  readonly listing: Pick<ChangedListing, 'records'>
  /** What the revision holds besides packages. */
  readonly files: readonly (UpstreamFile | StoredFile)[]
  /** Every fetched file. A package one of whose files is not here is left out, unless that is optional. */
  readonly blobs: ReadonlyMap<UpstreamFile, BlobRef>
  readonly verified: VerifiedPackages
  readonly latest: Revision | null
  readonly checkpoint: Json
}

/**
 * Records the next revision and seals it. Where nothing differs from the latest one, that is kept and only the checkpoint moves on.
 * Every blob is in the pool already; a failure leaves the catalog as it was.
 */
export async function sealPlan(
  context: AppContext,
  input: SealPlanInput,
  signal: AbortSignal,
): Promise<{ readonly revision: Revision; readonly isNew: boolean }> {
  const { catalog } = context
  const { settings, plan, latest, checkpoint } = input
  const files = input.files.flatMap((file) => storedFile(file, input.blobs) ?? [])
  const arriving = [...plan.added, ...plan.replaced].filter((pkg) => isHere(pkg, input))
  if (latest && input.verified.held.size > 0)
    await catalog.write((writer) => writer.saveSignatures(latest, input.verified.held))
  const leaving = [...plan.removed, ...plan.replaced.map(({ key }) => key)]

  const withRecords = keepsRecords(context.settings, settings)
  const isAlike = latest?.mode === settings.mode && (latest.hasRecords || !withRecords)
  if (isAlike && arriving.length === 0 && leaving.length === 0) {
    const held = await catalog.read((reader) => reader.files(latest))
    if (areSameFiles(held, files)) {
      await catalog.write((writer) => writer.saveCheckpoint(settings.id, checkpoint))
      return { revision: latest, isNew: false }
    }
  }

  const revision = await catalog.write((writer) => writer.openRevision(settings.id))
  context.reached?.('revision opened')
  try {
    for (const keys of batches(leaving))
      await step(signal, () => catalog.write((writer) => writer.removePackages(revision, keys)))
    for (const packages of batches(arriving))
      await step(signal, () =>
        catalog.write((writer) =>
          writer.addPackages(
            revision,
            packages.map((pkg) => newPackage(pkg, input)),
          ),
        ),
      )
    context.reached?.('packages added')
    // A mirror has upstream's own documents, and generates none for itself.
    if (withRecords) await addRecords(context, revision, input.listing, arriving, signal)
    context.reached?.('records added')
    signal.throwIfAborted()
    const sealed = await catalog.write(async (writer) => {
      await writer.setFiles(revision, files)
      return writer.sealRevision(revision, context.now(), checkpoint)
    })
    context.reached?.('revision sealed')
    return { revision: sealed, isNew: true }
  } catch (error) {
    // Whoever took the repository over has discarded it, and may have opened one of the same number.
    if (!isChantalError(signal.reason, 'LEASE_LOST')) await discard(context, revision)
    throw error
  }
}

/** What cannot be discarded now, the next sync discards; it must not hide why this one ended. */
async function discard({ catalog }: AppContext, revision: OpenRevision): Promise<void> {
  try {
    await catalog.write((writer) => writer.discardRevision(revision))
  } catch (error) {
    if (!isChantalError(error)) throw error
  }
}

async function addRecords(
  { catalog }: AppContext,
  revision: OpenRevision,
  listing: Pick<ChangedListing, 'records'>,
  arriving: readonly UpstreamPackage[],
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

function isHere({ files }: UpstreamPackage, { blobs }: Pick<SealPlanInput, 'blobs'>): boolean {
  return blobs.has(files[0]) && files.every((file) => file.isOptional || blobs.has(file))
}

/** Made when its batch is written: all at once they would take more memory than all before. */
function newPackage(
  pkg: UpstreamPackage,
  { blobs, verified }: Pick<SealPlanInput, 'blobs' | 'verified'>,
): NewPackage {
  const { key, name, version, architecture, builtAt, identity, attributes, files } = pkg
  const [first, ...rest] = files.flatMap((file) => storedFile(file, blobs) ?? [])
  if (!first) throw new Error(`a package without its file: ${key}`)
  const facts = { key, name, version, architecture, builtAt, identity, attributes }
  return { ...facts, files: [first, ...rest], signature: verified.arriving.get(key) ?? null }
}

function storedFile(
  file: UpstreamFile | StoredFile,
  blobs: ReadonlyMap<UpstreamFile, BlobRef>,
): StoredFile | null {
  if ('digest' in file) return file
  const blob = blobs.get(file)
  return blob ? { path: file.path, digest: blob.digest, size: blob.size } : null
}

function areSameFiles(held: readonly StoredFile[], now: readonly StoredFile[]): boolean {
  const digests = new Map(held.map(({ path, digest }) => [path, digest]))
  return held.length === now.length && now.every(({ path, digest }) => digests.get(path) === digest)
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += batchRows) yield items.slice(start, start + batchRows)
}
