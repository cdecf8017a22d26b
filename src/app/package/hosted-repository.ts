import type { ChangeKind, RepositoryRecord, SyncRecord } from '../../catalog/catalog-records.ts'
import type { Lease } from '../../catalog/lease.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Revision } from '../../core/model.ts'
import type { PackageUploads } from '../../ecosystems/ecosystem.ts'
import { configuredRepository, ecosystemOf } from '../configured.ts'
import type { AppContext } from '../context.ts'

/** How long to wait for somebody else's upload to the same repository, which takes a moment. */
const waitMs = 60_000

/**
 * A repository whose packages are ours to change.
 * @throws ChantalError `NOT_FOUND`; `USAGE_INVALID` where upstream says what it holds
 */
export function hostedRepository(context: Pick<AppContext, 'settings'>, id: string): RepositorySettings {
  const settings = configuredRepository(context.settings, id)
  if (settings.mode === 'hosted') return settings
  throw new ChantalError('USAGE_INVALID', `${id} is no hosted repository: its upstream says what it holds`, {
    hint: `To carry packages of your own on top of it, put them in a repository with \`mode: hosted\`, and publish both as a view. What ${id} takes of upstream is chosen with \`filters\`.`,
    details: { repository: id, mode: settings.mode },
  })
}

/** @throws ChantalError `USAGE_INVALID` where the ecosystem takes none */
export function uploadsOf(
  context: Pick<AppContext, 'ecosystems'>,
  settings: RepositorySettings,
): PackageUploads {
  const { uploads, title } = ecosystemOf(context, settings)
  if (uploads) return uploads
  throw new ChantalError(
    'USAGE_INVALID',
    `${settings.id}: packages cannot be uploaded to ${title} repositories`,
    {
      details: { repository: settings.id, type: settings.ecosystem },
    },
  )
}

/**
 * Keeps garbage collection, however short its grace period, from what is about to be added to a repository: take it before the first byte
 * arrives, and give it back once a revision names them all. Many may arrive at once.
 * @throws ChantalError `LEASE_HELD`
 */
export function holdArrivals(
  { catalog }: Pick<AppContext, 'catalog'>,
  { id }: RepositorySettings,
  purpose: string,
  signal: AbortSignal,
): Promise<Lease> {
  return catalog.acquire({ resource: `arrivals:${id}`, mode: 'shared', purpose, waitMs, signal })
}

/**
 * Changes one repository under its lease. `record` is the catalog's, made where there was none.
 * @throws ChantalError `LEASE_HELD`; `USAGE_INVALID` where it still holds what it mirrored
 */
export async function changeHosted<T>(
  context: AppContext,
  { settings, purpose }: { readonly settings: RepositorySettings; readonly purpose: string },
  work: (record: RepositoryRecord, signal: AbortSignal) => Promise<T>,
  caller: AbortSignal,
): Promise<T> {
  const { catalog } = context
  const { id, ecosystem, mode } = settings
  await using lease = await catalog.acquire({
    resource: `repository:${id}`,
    mode: 'exclusive',
    purpose,
    waitMs,
    signal: caller,
  })
  const record = await catalog.write(async (writer) => {
    await writer.saveRepository({ id, ecosystem, mode })
    return writer.repository(id)
  })
  if (!record) throw new Error(`${id} was saved, and is not there`)
  assertHosted(settings, record.latest)
  // Without awaiting it, the lease would be given back before the work has begun.
  return await work(record, lease.signal)
}

/** Notes in the history of a repository what a command changed. */
export async function recordChange(
  { catalog, now }: Pick<AppContext, 'catalog' | 'now'>,
  input: {
    readonly kind: Exclude<ChangeKind, 'sync'>
    readonly startedAt: Date
    readonly revision: Revision
    readonly isNew: boolean
    readonly changes: Pick<SyncRecord, 'added' | 'removed' | 'replaced'>
    readonly warnings: SyncRecord['warnings']
  },
): Promise<void> {
  const { kind, startedAt, revision, isNew, changes, warnings } = input
  await catalog.write((writer) =>
    writer.addSync({
      repository: revision.repository,
      kind,
      startedAt,
      finishedAt: now(),
      status: isNew ? 'synced' : 'unchanged',
      revision: revision.number,
      packages: revision.packageCount,
      ...changes,
      fetchedFiles: 0,
      fetchedBytes: 0,
      missing: [],
      warnings,
      error: null,
      signedBy: null,
    }),
  )
}

/**
 * Of a mirror's packages there are no native records: no metadata could be made that lists them.
 * @throws ChantalError `USAGE_INVALID` where the repository still holds what it mirrored
 */
export function assertHosted({ id }: RepositorySettings, latest: Revision | null): void {
  if (!latest || latest.hasRecords || latest.packageCount === 0) return
  throw new ChantalError('USAGE_INVALID', `${id} holds the packages of the upstream that it mirrored`, {
    hint: 'Use a hosted repository with another id, or sync this one once with `mode: filtered`.',
    details: { repository: id },
  })
}
