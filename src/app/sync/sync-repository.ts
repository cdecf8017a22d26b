import type { SyncRecord } from '../../catalog/catalog-records.ts'
import { accessOf } from '../../config/access.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import type { Json } from '../../core/brand.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { Reporter } from '../../core/events.ts'
import type { Revision, UpstreamFile, UpstreamPackage } from '../../core/model.ts'
import { planSync, type SyncPlan } from '../../core/plan.ts'
import type { Downloader, UpstreamClient } from '../../download/downloader.ts'
import { ecosystemOf, keepsRecords } from '../configured.ts'
import type { AppContext, UseCase } from '../context.ts'
import { encodeCheckpoint } from './checkpoint.ts'
import { type FetchedFiles, fetchFiles, findWantedFiles } from './fetch-files.ts'
import { findHeldPackages } from './held-packages.ts'
import { judgeFailures, missingFiles } from './judge-failures.ts'
import { type ChangedListing, type Reading, readUpstream } from './read-upstream.ts'
import { isHere, RevisionDraft } from './revision-draft.ts'
import { sealPlan } from './seal-plan.ts'
import { selectPackages } from './select-packages.ts'
import { reportError, type SyncResult } from './sync-result.ts'
import { PackageVerification } from './verify-packages.ts'
import { WarningCollector } from './warning-collector.ts'

export interface SyncRepositoryInput {
  readonly settings: RepositorySettings
  /** Reads upstream even where the last checkpoint says nothing changed. */
  readonly force: boolean
  /** Stops at the plan: the catalog and every publication stay as they are. */
  readonly dryRun: boolean
}

/** What a sync has come to so far; kept outside of it, so that a failure can tell how far it got. */
interface Tally {
  revision: number | null
  packages: number
  changes: PackageChanges
  fetchedFiles: number
  fetchedBytes: number
  missing: SyncResult['missing']
  signedBy: string | null
}

type PackageChanges = Pick<SyncResult, 'added' | 'removed' | 'replaced'>

/**
 * Brings one repository up to date with its upstream: read, select, plan, fetch, seal.
 * Until the last step readers see the old revision; if any step fails they go on seeing it, and what was fetched stays in
 * the pool for the next try. A failure is a value, and history has it.
 * @throws the reason of `signal`, and what is a bug
 */
export const syncRepository: UseCase<SyncRepositoryInput, SyncResult> = async (outer, input, signal) => {
  const { id } = input.settings
  const startedAt = outer.now()
  const warnings = new WarningCollector(outer.reporter, id)
  const context = { ...outer, reporter: warnings }
  const tally: Tally = {
    revision: null,
    packages: 0,
    changes: { added: 0, removed: 0, replaced: 0 },
    fetchedFiles: 0,
    fetchedBytes: 0,
    missing: [],
    signedBy: null,
  }
  context.reporter.report({ type: 'sync.started', repository: id })

  const finish = (outcome: Pick<SyncResult, 'status'> & Partial<SyncResult>): SyncResult => ({
    id,
    revision: tally.revision,
    packages: tally.packages,
    ...tally.changes,
    fetchedFiles: tally.fetchedFiles,
    fetchedBytes: tally.fetchedBytes,
    missing: tally.missing,
    warnings: warnings.collected,
    error: null,
    cause: null,
    signedBy: tally.signedBy,
    durationMs: outer.now().getTime() - startedAt.getTime(),
    plan: null,
    ...outcome,
  })

  let result: SyncResult
  try {
    result = finish(await runSync(context, input, tally, signal))
  } catch (thrown) {
    if (!isChantalError(thrown)) throw thrown
    const error = explainNotFound(thrown)
    const status = error.code === 'SYNC_INCOMPLETE' ? 'partial' : 'failed'
    result = finish({ status, error: reportError(error), cause: error })
  }
  // Whoever holds the lease records the sync that is going on. What cannot be synced at all has no failed sync behind it.
  const isSync = !input.dryRun && input.settings.feed !== null && result.error?.code !== 'LEASE_HELD'
  if (isSync) await record(context, result, startedAt)
  const { status, revision, packages, durationMs } = result
  context.reporter.report({ type: 'sync.finished', repository: id, status, revision, packages, durationMs })
  return result
}

async function runSync(
  context: AppContext,
  { settings, force, dryRun }: SyncRepositoryInput,
  tally: Tally,
  caller: AbortSignal,
): Promise<Pick<SyncResult, 'status'> & Partial<SyncResult>> {
  const { catalog } = context
  await using lease = await catalog.acquire({
    resource: `repository:${settings.id}`,
    mode: 'exclusive',
    purpose: `sync ${settings.id}`,
    waitMs: 0,
    signal: caller,
  })
  const { signal } = lease
  if (lease.tookOverFrom) reportTakeover(context.reporter, settings.id, lease.tookOverFrom.pid)
  const { id, mode } = settings
  const hasRecords = keepsRecords(context.settings, settings)
  await catalog.write((writer) =>
    writer.saveRepository({ id, ecosystem: settings.ecosystem, mode, hasRecords }),
  )
  const record = await catalog.read((reader) => reader.repository(settings.id))
  const latest = record?.latest ?? null
  tally.revision = latest?.number ?? null
  tally.packages = latest?.packageCount ?? 0

  // Most syncs find nothing new, and never ask.
  let found: ReturnType<typeof findHeldPackages> | null = null
  const held = () => {
    found ??= findHeldPackages(context, latest, hasRecords)
    return found
  }
  await using client = await openClient(context.downloader, settings, signal)
  let earlier: Reading | null = null
  for (let attempt = 1; ; attempt += 1) {
    const input = { settings, client, record, held, force, earlier }
    const reading: Reading = await readUpstream(context, input, signal)
    context.reached?.('metadata read')
    tally.fetchedFiles += reading.session.fetchedFiles
    tally.fetchedBytes += reading.session.fetchedBytes
    try {
      const terms = { settings, dryRun, client, latest, held, reading }
      return await reading.session.guard(() => bringUpToDate(context, terms, tally, signal))
    } catch (error) {
      // What upstream listed may be gone because there is something new; that is not known before somebody looks again.
      if (attempt === attempts || !isTorn(error) || !(await reading.session.hasMovedOn())) throw error
      earlier = reading
    }
  }
}

/** Readings of an upstream that moves on while its files are fetched, before giving up. */
const attempts = 3

function isTorn(error: unknown): boolean {
  return isChantalError(error, 'CHECKSUM_MISMATCH', 'NOT_FOUND', 'SYNC_INCOMPLETE', 'UPSTREAM_INVALID')
}

/** From what upstream lists to a sealed revision that has it. */
async function bringUpToDate(
  context: AppContext,
  input: {
    readonly settings: RepositorySettings
    readonly dryRun: boolean
    readonly client: UpstreamClient
    readonly latest: Revision | null
    held(): ReturnType<typeof findHeldPackages>
    readonly reading: Reading
  },
  tally: Tally,
  signal: AbortSignal,
): Promise<Pick<SyncResult, 'status'> & Partial<SyncResult>> {
  const { settings, dryRun, client, latest, held, reading } = input
  const ecosystem = ecosystemOf(context, settings)
  const { listing } = reading
  if (listing.status === 'unchanged') {
    if (!dryRun) await rememberDocuments(context, reading, latest)
    return { status: 'unchanged' }
  }
  tally.signedBy = listing.signedBy?.fingerprint ?? null

  const { reporter, now } = context
  const listed = await collect(listing.packages)
  const upstream = selectPackages(listed, settings, ecosystem, { now: now(), reporter })
  const plan = planSync(upstream, await held())
  const files = await collect(listing.files())
  const needed = [
    ...packageFiles([...plan.added, ...plan.replaced]),
    ...files.filter((file) => 'expect' in file),
  ]
  const found = await findWantedFiles(context, needed)
  const { wanted } = found
  const bytes = wanted.reduce((sum, { expect }) => sum + (expect.size ?? 0), 0)
  context.reporter.report({
    type: 'plan.ready',
    repository: settings.id,
    added: plan.added.length,
    removed: plan.removed.length,
    replaced: plan.replaced.length,
    unchanged: plan.unchanged,
    files: wanted.length,
    bytes,
  })
  if (dryRun) {
    const diskLeftBytes = (await context.pool.freeSpace()) - bytes
    tally.changes = changesOf(plan, () => true)
    return { status: 'planned', plan: { plan, files: wanted.length, bytes, diskLeftBytes } }
  }

  const verification = await PackageVerification.open(context, settings)
  const arriving = [...plan.added, ...plan.replaced]
  await using draft = new RevisionDraft(
    context,
    {
      settings,
      plan,
      verdictsOf: async (packages, blobs) =>
        (await verification?.checkArriving(packages, blobs, signal)) ?? new Map(),
    },
    signal,
  )
  const kept = (files: Iterable<UpstreamFile>, blobs: FetchedFiles['blobs']) => draft.record(files, blobs)
  const fetched = await fetchFiles(context, { repository: settings.id, client, ...found, kept }, signal)
  context.reached?.('files fetched')
  tally.fetchedFiles += fetched.fetchedFiles
  tally.fetchedBytes += fetched.fetchedBytes
  // Named also where they keep the sync from being sealed.
  tally.missing = missingFiles(fetched.failed)
  judgeFailures(fetched.failed, {
    settings,
    listed: upstream.length,
    arriving,
    reporter: context.reporter,
  })

  await draft.recordRest(fetched.blobs)
  const verdicts = (latest && (await verification?.checkHeld(latest, plan, signal))) ?? new Map()
  verification?.judge()

  const sealed = await sealPlan(
    context,
    {
      settings,
      draft,
      arriving: arriving.filter((pkg) => isHere(pkg, fetched.blobs)),
      listing,
      files,
      blobs: fetched.blobs,
      verdicts,
      latest,
      checkpoint: checkpointOf(reading, listing, tally.missing.length > 0),
    },
    signal,
  )
  tally.revision = sealed.revision.number
  tally.packages = sealed.revision.packageCount
  tally.changes = changesOf(plan, (pkg) => isHere(pkg, fetched.blobs))
  return { status: sealed.isNew ? 'synced' : 'unchanged' }
}

/** What of a plan came true: what upstream lists and has not neither came nor took the place of another, whose place is empty. */
function changesOf(
  { added, removed, replaced }: SyncPlan,
  hasCome: (pkg: UpstreamPackage) => boolean,
): PackageChanges {
  const changed = replaced.filter(hasCome).length
  return {
    added: added.filter(hasCome).length,
    removed: removed.length + replaced.length - changed,
    replaced: changed,
  }
}

/** A user named a repository that there is; it is upstream that lacks what makes one. */
function explainNotFound(error: ChantalError): ChantalError {
  if (error.code !== 'NOT_FOUND') return error
  return new ChantalError(
    'UPSTREAM_INVALID',
    `upstream lacks metadata that it has to have: ${error.message}`,
    {
      cause: error,
      hint: 'Check the URL of the feed. A mirror that is mid-update heals by itself.',
      details: error.details,
    },
  )
}

function openClient(
  downloader: Downloader,
  settings: RepositorySettings,
  signal: AbortSignal,
): Promise<UpstreamClient> {
  const access = accessOf(settings)
  if (!access) {
    throw new ChantalError('CONFIG_INVALID', `${settings.id} is hosted: it has nothing to sync from`, {
      hint: 'Upload packages to it, or give it a feed and another mode.',
      details: { repository: settings.id },
    })
  }
  return downloader.open(access, signal)
}

/** While packages are missing, the next sync looks at everything: upstream may have them by then. */
function checkpointOf(reading: Reading, listing: ChangedListing, isIncomplete: boolean): Json {
  return encodeCheckpoint({
    ...reading,
    documents: reading.session.documents,
    ecosystem: isIncomplete ? null : listing.checkpoint,
  })
}

async function rememberDocuments(
  context: AppContext,
  reading: Reading,
  latest: Revision | null,
): Promise<void> {
  const { repository, session, checkpoint } = reading
  const next = encodeCheckpoint({ ...reading, documents: session.documents, ecosystem: checkpoint })
  await context.catalog.write((writer) => writer.saveCheckpoint(repository, next, latest?.number ?? null))
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function packageFiles(packages: readonly UpstreamPackage[]): readonly UpstreamFile[] {
  return packages.flatMap((pkg) => pkg.files)
}

function reportTakeover(reporter: Reporter, repository: string, pid: number): void {
  reporter.report({
    type: 'warning',
    code: 'LEASE_TAKEN_OVER',
    message: `an earlier sync (pid ${pid}) died; going on from what it left`,
    repository,
  })
}

async function record(context: AppContext, result: SyncResult, startedAt: Date): Promise<void> {
  const { id, status, durationMs: _, cause: __, plan: ___, ...rest } = result
  if (status === 'planned') return
  const finishedAt = context.now()
  const entry: Omit<SyncRecord, 'repository'> = { ...rest, kind: 'sync', status, startedAt, finishedAt }
  await context.catalog.write(async (writer) => {
    const known = await writer.repository(
      context.settings.repositories.find((settings) => settings.id === id)?.id ?? raise(id),
    )
    if (known) await writer.addSync({ ...entry, repository: known.id })
  })
}

function raise(id: string): never {
  throw new Error(`synced a repository that is not configured: ${id}`)
}
