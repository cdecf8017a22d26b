import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { SnapshotUse } from '../../catalog/catalog-records.ts'
import { applyRetention, type RetentionRule } from '../../core/retention.ts'
import { allOwners, chooseOwners } from '../configured.ts'
import type { AppContext, UseCase } from '../context.ts'
import { packagesIn } from './list-snapshots.ts'
import { findSnapshots, nameOfSnapshot, removeSnapshot, type Snapshot } from './snapshots.ts'

/** Why a snapshot stays: a rule of the retention policy, or what counts for more than any policy. */
export type KeptBy = RetentionRule | 'pinned' | 'published' | 'view_snapshot' | 'no_policy'

export interface PruneInput {
  /** Repositories, views or shell patterns; none means all that have a retention policy. */
  readonly ids: readonly string[]
  readonly dryRun: boolean
  /** Of what may go, only these (`ID@NAME`) go: what the user has seen and agreed to. Absent: all. */
  readonly agreed?: readonly string[]
}

/** One snapshot, and what becomes of it. */
export interface PrunedSnapshot {
  readonly source: string
  readonly createdAt: Date
  readonly packages: number
  readonly action: 'remove' | 'keep'
  /** Empty where it goes. */
  readonly keptBy: readonly KeptBy[]
  /** Paths whose generations on disk show it, the current one or one to roll back to. */
  readonly published: readonly string[]
  /** Snapshots of views that froze the same revision. */
  readonly viewSnapshots: readonly string[]
}

/** The shape of `snapshot prune --json`. */
export interface PruneOutput {
  /** In order of repositories and views, oldest first. */
  readonly snapshots: readonly PrunedSnapshot[]
  readonly removed: number
  readonly kept: number
  /** What only those that go keep in the pool, to the byte: a garbage collection without grace frees it. */
  readonly freedBlobs: number
  readonly freedBytes: number
  readonly dryRun: boolean
}

/**
 * Removes snapshots that the retention policy of their repository or view does not keep. Never one that is pinned, or that a generation on
 * disk shows, be it the current one or one to roll back to, or whose revision a view's snapshot has. What only they held is freed by the next garbage collection. @throws ChantalError `NOT_FOUND`
 */
export const pruneSnapshots: UseCase<PruneInput, PruneOutput> = async (context, input, signal) => {
  const { catalog } = context
  while (true) {
    signal.throwIfAborted()
    const { plan, freed } = await catalog.read(async (reader) => {
      const plan = await planPrune(context, reader, input)
      return { plan, freed: await measure(reader, leaving(plan), signal) }
    })
    const output = outputOf(plan, freed, input.dryRun)
    if (input.dryRun) return output
    context.reached?.('snapshots chosen')
    const isDone = await catalog.write(async (writer) => {
      const now = leaving(await planPrune(context, writer, input))
      // Measuring took a while: what was measured is what goes, or it is measured again.
      if (!isSame(now, leaving(plan))) return false
      for (const snapshot of now) {
        await removeSnapshot(writer, snapshot)
        context.reached?.('snapshot removed')
      }
      return true
    })
    if (!isDone) continue
    context.reached?.('snapshots removed')
    return output
  }
}

interface Planned extends Pick<PrunedSnapshot, 'keptBy' | 'published' | 'viewSnapshots'> {
  readonly snapshot: Snapshot
}

async function planPrune(
  { settings }: Pick<AppContext, 'settings'>,
  reader: CatalogReader,
  { ids, agreed }: PruneInput,
): Promise<readonly Planned[]> {
  const chosen =
    ids.length > 0
      ? chooseOwners(settings, ids)
      : allOwners(settings).filter(({ settings }) => settings.retention !== null)
  const uses = await reader.snapshotUses()
  const mayGo = agreed && new Set(agreed)
  const plan: Planned[] = []
  for (const owner of chosen) {
    const { retention } = owner.settings
    const snapshots = await findSnapshots(reader, owner)
    const byPolicy = retention && applyRetention(retention, snapshots)
    for (const snapshot of snapshots) {
      const { published, viewSnapshots } = namesOf(uses.get(snapshot.source) ?? [])
      const keptBy: KeptBy[] = [
        ...(snapshot.isPinned ? (['pinned'] as const) : []),
        ...(published.length > 0 ? (['published'] as const) : []),
        ...(viewSnapshots.length > 0 ? (['view_snapshot'] as const) : []),
        ...(byPolicy === null ? (['no_policy'] as const) : (byPolicy.get(snapshot) ?? [])),
      ]
      if (keptBy.length === 0 && mayGo && !mayGo.has(snapshot.source)) continue
      plan.push({ snapshot, keptBy, published, viewSnapshots })
    }
  }
  return plan
}

function namesOf(uses: readonly SnapshotUse[]): Pick<PrunedSnapshot, 'published' | 'viewSnapshots'> {
  return {
    published: uses.flatMap((use) => (use.kind === 'publication' ? [use.path] : [])),
    viewSnapshots: uses.flatMap((use) => (use.kind === 'view snapshot' ? [use.source] : [])),
  }
}

function leaving(plan: readonly Planned[]): readonly Snapshot[] {
  return plan.filter(({ keptBy }) => keptBy.length === 0).map(({ snapshot }) => snapshot)
}

/** Also that each still names the same revisions: another may have taken its name. */
function isSame(some: readonly Snapshot[], others: readonly Snapshot[]): boolean {
  const idOf = ({ source, revisions }: Snapshot) =>
    `${source} ${revisions.map(({ repository, number }) => `${repository} ${number}`).join(' ')}`
  const known = new Set(others.map(idOf))
  return some.length === others.length && some.every((one) => known.has(idOf(one)))
}

async function measure(reader: CatalogReader, snapshots: readonly Snapshot[], signal: AbortSignal) {
  let blobs = 0
  let bytes = 0
  for await (const { size } of reader.blobsOnlyIn(snapshots.map(nameOfSnapshot))) {
    signal.throwIfAborted()
    blobs += 1
    bytes += size
  }
  return { blobs, bytes }
}

function outputOf(
  plan: readonly Planned[],
  freed: { readonly blobs: number; readonly bytes: number },
  dryRun: boolean,
): PruneOutput {
  const removed = leaving(plan).length
  return {
    snapshots: plan.map(({ snapshot, keptBy, published, viewSnapshots }) => ({
      source: snapshot.source,
      createdAt: snapshot.createdAt,
      packages: packagesIn(snapshot.revisions),
      action: keptBy.length === 0 ? 'remove' : 'keep',
      keptBy,
      published,
      viewSnapshots,
    })),
    removed,
    kept: plan.length - removed,
    freedBlobs: freed.blobs,
    freedBytes: freed.bytes,
    dryRun,
  }
}
