import { createHash } from 'node:crypto'
import type { GenerationRecord } from '../../catalog/catalog.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import { isChantalError } from '../../core/errors.ts'
import type { Revision } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { EarlierTree, PublicationSink } from '../../core/publication.ts'
import type { Ecosystem } from '../../ecosystems/ecosystem.ts'
import type { Generation } from '../../publish/publications.ts'
import type { Signer } from '../../sign/signer.ts'
import { configuredRepository, ecosystemOf } from '../configured.ts'
import type { AppContext } from '../context.ts'
import { findEarlier } from './find-earlier.ts'
import type { PublishedGeneration } from './publish-result.ts'
import { reconcilePublication } from './reconcile-publication.ts'

/** Raised when what a publisher writes for equal input changes, so that publishing again after an upgrade makes a new generation. */
const publisherVersion = 3

/** A revision and the path it is to be seen at. */
export interface WantedPublication {
  readonly path: RelativePath
  /** The source as a user writes it. */
  readonly label: string
  readonly revision: Revision
  /** Holds the path, so that nothing is published there until it is released. */
  readonly hold?: boolean
  /** Makes every file anew, and takes nothing from an earlier generation. */
  readonly fresh?: boolean
}

/** The current generation of the path, where it shows exactly this; `null` otherwise. */
export async function findPublished(
  context: AppContext,
  wanted: WantedPublication,
): Promise<PublishedGeneration | null> {
  const { path, revision } = wanted
  const known = await context.catalog.read((reader) => reader.publication(path))
  const onDisk = await context.publications.current(path)
  if (!known?.current || known.current.generation !== onDisk?.name) return null
  const signer = await signerFor(context, revision)
  if (known.current.fingerprint !== fingerprintOf(context, revision, signer)) return null
  return { record: known.current, unchanged: true, packageLinks: 0 }
}

/**
 * Builds a generation beside the current one, switches to it, and drops those that are due. A failure leaves clients with what they had.
 * The caller holds the publication's lease.
 * @throws ChantalError `BLOB_MISSING`, `SIGNING_FAILED`, `DISK_FULL`, `NOT_WRITABLE`
 */
export async function publishRevision(
  context: AppContext,
  wanted: WantedPublication,
  signal: AbortSignal,
): Promise<PublishedGeneration> {
  const { path, label, revision, hold = false } = wanted
  const { catalog, publications, reporter } = context
  const signer = await signerFor(context, revision)
  if (!signer) warnUnsigned(context, revision)
  reporter.report({ type: 'publish.started', path, packages: revision.packageCount })
  const fingerprint = fingerprintOf(context, revision, signer)
  await using earlier = wanted.fresh ? null : await findEarlier(context, wanted, fingerprint, signal)
  const renew = earlier?.isEqual ? renewOf(context, revision) : undefined
  const repeated = earlier && renew ? earlier.at : undefined
  await using stage = await publications.begin(path, context.now(), repeated)
  const record: GenerationRecord = {
    path,
    generation: stage.name,
    publishedAt: stage.publishedAt,
    sources: [{ repository: revision.repository, revision: revision.number, source: label }],
    packages: revision.packageCount,
    files: 0,
    signedBy: signer?.kind === 'openpgp' ? signer.fingerprint : null,
    fingerprint,
  }
  // The revision is a root from before its first file is placed, so that no garbage collection takes it meanwhile.
  await catalog.write((writer) => writer.saveGeneration(record, false))
  context.reached?.('generation announced')
  let generation: Generation
  try {
    const now = stage.publishedAt
    const tree = earlier?.tree ?? null
    if (tree && renew) await renew({ mode: revision.mode, signer, now, earlier: tree }, stage)
    else await fillTree(context, { revision, signer, now, earlier: tree }, stage)
    signal.throwIfAborted()
    generation = await stage.commit()
  } catch (error) {
    await tidyUp(context, path, signal)
    throw error
  }
  context.reached?.('generation switched')
  const finished = { ...record, files: generation.files }
  await catalog.write(async (writer) => {
    await writer.saveGeneration(finished, true)
    if (hold) await writer.holdPublication(path, context.now())
  })
  context.reached?.('generation recorded')
  reporter.report({ type: 'publish.switched', path, generation: generation.name, files: generation.files })
  await prunePublication(context, path)
  return { record: finished, unchanged: false, packageLinks: stage.packageLinks }
}

function renewOf({ settings, ecosystems }: AppContext, { repository }: Revision): Ecosystem['renew'] {
  return ecosystemOf({ ecosystems }, configuredRepository(settings, repository)).renew
}

/** What cannot be tidied up now, the next publication or garbage collection does; it must not hide why this one ended. */
async function tidyUp(context: AppContext, path: RelativePath, signal: AbortSignal): Promise<void> {
  // The path is somebody else's by now.
  if (isChantalError(signal.reason, 'LEASE_LOST')) return
  try {
    await reconcilePublication(context, path)
  } catch (error) {
    if (!isChantalError(error)) throw error
  }
}

/** Has the ecosystem give `sink` the whole tree of a revision. */
export async function fillTree(
  { catalog, pool, settings, reporter, ecosystems }: AppContext,
  input: {
    readonly revision: Revision
    readonly signer: Signer | null
    readonly now: Date
    readonly earlier: EarlierTree | null
  },
  sink: PublicationSink,
): Promise<void> {
  const { revision, signer, now, earlier } = input
  const repository = configuredRepository(settings, revision.repository)
  await catalog.read(async (reader) =>
    ecosystemOf({ ecosystems }, repository).publish(
      {
        repository: revision.repository,
        options: repository.options,
        mode: revision.mode,
        packageCount: revision.packageCount,
        packages: () => reader.packages(revision),
        records: (part, terms) => reader.records(revision, part, terms),
        files: await reader.files(revision),
        signer,
        now,
        earlier,
        limits: settings.limits,
        reporter,
        read: (digest) => pool.read(digest),
      },
      sink,
    ),
  )
}

/** What signs this revision's tree; a verbatim mirror carries upstream's signatures. */
export async function signerFor(context: AppContext, revision: Revision): Promise<Signer | null> {
  const repository: RepositorySettings = configuredRepository(context.settings, revision.repository)
  return revision.mode === 'mirror' ? null : context.signerOf(repository)
}

/** Drops generations that are neither among the newest nor within the grace period, and tells the catalog. */
async function prunePublication(context: AppContext, path: RelativePath): Promise<void> {
  const { keepGenerations, graceMs } = context.settings.publish
  await context.publications.prune(path, { keep: keepGenerations, graceMs, now: context.now() })
  await reconcilePublication(context, path)
}

/** Equal for what would publish an equal tree. */
function fingerprintOf(context: AppContext, revision: Revision, signer: Signer | null): string {
  const { options } = configuredRepository(context.settings, revision.repository)
  const key = signer?.kind === 'openpgp' ? signer.fingerprint : (signer?.keyName ?? null)
  const parts = [publisherVersion, revision.repository, revision.number, revision.mode, options, key]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

function warnUnsigned(context: AppContext, revision: Revision): void {
  if (revision.mode === 'mirror') return
  context.reporter.report({
    type: 'warning',
    code: 'UNSIGNED_PUBLICATION',
    message: `${revision.repository} is published unsigned, since no signing key is configured`,
    repository: revision.repository,
  })
}
