import { setImmediate } from 'node:timers/promises'
import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { RepositoryRecord, ViewSnapshotRecord } from '../../catalog/catalog-records.ts'
import type { RepositoryId } from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { AppContext, UseCase } from '../context.ts'
import { rowsAtOnce } from '../pool/prune-revisions.ts'
import { parseSnapshotSource } from '../source.ts'

/** A repository of the catalog that is in no configuration any more. */
export interface GoneRepository {
  readonly repository: RepositoryId
  readonly ecosystem: string
  readonly revisions: number
  /** Its own, and those of views that are gone from the configuration too and had it as a member. */
  readonly snapshots: readonly string[]
  /** Paths that show nothing but it. */
  readonly publications: readonly RelativePath[]
  /** Of its latest revision. */
  readonly packages: number
  /** What the next garbage collections free, once nothing else of it is left: blobs that no other repository's rows name. */
  readonly bytes: number
  readonly outcome: 'removed' | 'removable' | 'kept'
  /** Why it is kept. */
  readonly reason: string | null
}

/**
 * Repositories of the catalog that are gone from the configuration, and what would go with each.
 * @param input.snapshots whether one that has snapshots may go; otherwise it is kept whole
 */
export const findGoneRepositories: UseCase<
  { readonly snapshots: boolean },
  readonly GoneRepository[]
> = async ({ catalog, settings }, { snapshots }) => {
  const configured = new Set<string>(settings.repositories.map(({ id }) => id))
  const views = new Set(settings.views.map(({ name }) => name))
  return catalog.read(async (reader) => {
    const gone = (await reader.repositories()).filter(({ id }) => !configured.has(id))
    if (gone.length === 0) return []
    const { byRepository } = await reader.statistics()
    const bytesOf = new Map(byRepository.map(({ repository, ownBytes }) => [repository, ownBytes]))
    const shown = await publishedBy(reader)
    const frozen = await reader.viewSnapshots()
    const found: GoneRepository[] = []
    for (const record of gone) {
      const paths = shown.get(record.id) ?? []
      const inViews = frozen.filter(({ revisions }) =>
        revisions.some(({ repository }) => repository === record.id),
      )
      const needed = inViews.find(({ view }) => views.has(view))
      const view = await viewOf(reader, record, paths, inViews)
      const reason = reasonToKeep(record, view, {
        shown: paths,
        needed,
        pinned: await pinnedOf(reader, record, inViews),
        removesSnapshots: snapshots,
      })
      found.push({
        ...view,
        bytes: bytesOf.get(record.id) ?? 0,
        outcome: reason === null ? 'removable' : 'kept',
        reason,
      })
    }
    return found
  })
}

/**
 * Removes what the catalog and the published folder hold of the removable ones: publications first, then snapshots and revisions, in
 * short transactions. A run that is interrupted leaves a repository empty or whole, and the next one goes on. The history of
 * syncs stays; blobs are garbage collection's.
 * @throws ChantalError `LEASE_HELD` while a repository is worked on; `USAGE_INVALID` where it was named since it was looked at
 */
export const removeGoneRepositories: UseCase<
  { readonly repositories: readonly GoneRepository[] },
  readonly GoneRepository[]
> = async (context, { repositories }, signal) => {
  const done: GoneRepository[] = []
  for (const each of repositories) {
    if (each.outcome === 'removable') await remove(context, each, signal)
    done.push(each.outcome === 'removable' ? { ...each, outcome: 'removed' } : each)
  }
  return done
}

interface PathWithSources {
  readonly path: RelativePath
  readonly repositories: ReadonlySet<RepositoryId>
}

/** Paths by the repositories that any of their generations shows. */
async function publishedBy(
  reader: CatalogReader,
): Promise<ReadonlyMap<RepositoryId, readonly PathWithSources[]>> {
  const paths = new Map<RepositoryId, PathWithSources[]>()
  for (const { path } of await reader.publications()) {
    const generations = await reader.generations(path)
    const repositories = new Set(
      generations.flatMap(({ sources }) => sources.map(({ repository }) => repository)),
    )
    for (const repository of repositories)
      paths.set(repository, [...(paths.get(repository) ?? []), { path, repositories }])
  }
  return paths
}

async function viewOf(
  reader: CatalogReader,
  { id, ecosystem, latest }: RepositoryRecord,
  shown: readonly PathWithSources[],
  inViews: readonly ViewSnapshotRecord[],
) {
  return {
    repository: id,
    ecosystem,
    revisions: (await reader.revisions(id)).length,
    snapshots: [
      ...(await reader.snapshots(id)).map(({ name }) => `${id}@${name}`),
      ...inViews.map(({ view, name }) => `${view}@${name}`),
    ],
    publications: shown.filter(({ repositories }) => repositories.size === 1).map(({ path }) => path),
    packages: latest?.packageCount ?? 0,
  }
}

/** The first that is, as `OWNER@NAME`. */
async function pinnedOf(
  reader: CatalogReader,
  { id }: RepositoryRecord,
  inViews: readonly ViewSnapshotRecord[],
): Promise<string | null> {
  const own = (await reader.snapshots(id)).find(({ isPinned }) => isPinned)
  if (own) return `${id}@${own.name}`
  const ofView = inViews.find(({ isPinned }) => isPinned)
  return ofView ? `${ofView.view}@${ofView.name}` : null
}

function reasonToKeep(
  { id }: RepositoryRecord,
  { snapshots }: Pick<GoneRepository, 'snapshots'>,
  terms: {
    readonly shown: readonly PathWithSources[]
    /** A snapshot of a view that is configured. */
    readonly needed: ViewSnapshotRecord | undefined
    /** One of its snapshots that is. */
    readonly pinned: string | null
    readonly removesSnapshots: boolean
  },
): string | null {
  const { shown, needed, pinned, removesSnapshots } = terms
  const shared = shown.find(({ repositories }) => repositories.size > 1)
  if (shared) return `${shared.path} shows it together with others: publish that again, or unpublish it`
  if (needed) return `${needed.view}@${needed.name} froze it together with others: delete that snapshot first`
  if (pinned) return `${pinned} is pinned: run \`chantal snapshot unpin ${pinned}\` first`
  if (snapshots.length > 0 && !removesSnapshots) return `${id} has snapshots: --snapshots removes them too`
  return null
}

async function remove(
  context: AppContext,
  { repository, publications, snapshots }: GoneRepository,
  caller: AbortSignal,
): Promise<void> {
  const { catalog, now, reached } = context
  await using lease = await catalog.acquire({
    resource: `repository:${repository}`,
    mode: 'exclusive',
    purpose: `remove ${repository}`,
    waitMs: 60_000,
    signal: caller,
  })
  const { signal } = lease
  for (const path of publications) {
    await unpublishPath(context, path, signal)
    reached?.('path unpublished')
  }
  await context.publications.clearShelves(repository, now())
  reached?.('shelves cleared')
  signal.throwIfAborted()
  await catalog.write(async (writer) => {
    for (const source of snapshots) {
      const { owner, name } = parseSnapshotSource(source)
      if (owner === repository) await writer.deleteSnapshot(repository, name)
      else await writer.deleteViewSnapshot(owner, name)
    }
  })
  reached?.('snapshots deleted')
  for (let isDone = false; !isDone; ) {
    signal.throwIfAborted()
    isDone = (await catalog.write((writer) => writer.removeRepository(repository, now(), rowsAtOnce))).isDone
    reached?.('rows removed')
    // SQLite's transactions are one piece of work: leases have to be renewed between them.
    await setImmediate()
  }
}

/** Also what a publication that was killed left of a path. */
async function unpublishPath(
  { catalog, publications }: AppContext,
  path: RelativePath,
  signal: AbortSignal,
): Promise<void> {
  await using lease = await catalog.acquire({
    resource: `publication:${path}`,
    mode: 'exclusive',
    purpose: `unpublish ${path}`,
    waitMs: 60_000,
    signal,
  })
  lease.signal.throwIfAborted()
  await publications.remove(path)
  await catalog.write((writer) => writer.removePublication(path))
}
