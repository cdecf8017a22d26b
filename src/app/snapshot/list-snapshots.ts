import type { CatalogReader, SnapshotRecord } from '../../catalog/catalog.ts'
import type { RepositoryId } from '../../core/model.ts'
import { matchesPattern } from '../../core/pattern.ts'
import { chooseRepositories } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'

/** A row of `snapshot list`. */
export interface SnapshotView {
  /** `ID@NAME` */
  readonly source: string
  readonly revision: number
  readonly packages: number
  readonly sizeBytes: number
  readonly createdAt: Date
  readonly description: string | null
  readonly labels: Readonly<Record<string, string>>
  /** `user@host`; `null` where that was not noted yet. */
  readonly createdBy: string | null
  readonly pinned: boolean
  /** Paths whose current generation shows it. */
  readonly published: readonly string[]
}

/** @param input.ids repositories or shell patterns; none means all. @throws ChantalError `NOT_FOUND` */
export const listSnapshots: UseCase<{ readonly ids: readonly string[] }, readonly SnapshotView[]> = async (
  { catalog, settings },
  { ids },
) => {
  if (ids.length > 0) chooseRepositories(settings, { ids })
  return catalog.read(async (reader) => {
    const published = await publishedPaths(reader)
    const all = await reader.snapshots()
    return all
      .filter(({ repository }) => ids.length === 0 || ids.some((id) => matchesPattern(repository, id)))
      .map((snapshot) => viewOf(snapshot, published))
  })
}

/** What `snapshot show SOURCE` tells; of a source that is no snapshot, the revision behind it. */
export interface SourceView {
  readonly source: string
  readonly repository: string
  readonly revision: number
  readonly mode: string
  readonly packages: number
  readonly sizeBytes: number
  readonly sealedAt: Date
  readonly snapshot: SnapshotView | null
  readonly published: readonly string[]
}

/** @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export const showSource: UseCase<{ readonly source: string }, SourceView> = async (
  { catalog, settings },
  { source },
) =>
  catalog.read(async (reader) => {
    const { label, repository, snapshot, revision } = await resolveSource(reader, settings, source)
    const published = await publishedPaths(reader)
    const record = snapshot === null ? null : await reader.snapshot(revision.repository, snapshot)
    return {
      source: label,
      repository,
      revision: revision.number,
      mode: revision.mode,
      packages: revision.packageCount,
      sizeBytes: revision.totalSize,
      sealedAt: revision.sealedAt,
      snapshot: record && viewOf(record, published),
      published: published.get(`${repository} ${revision.number}`) ?? [],
    }
  })

/** `null` where there is none of that name. */
export async function viewSnapshot(
  reader: CatalogReader,
  repository: RepositoryId,
  name: string,
): Promise<SnapshotView | null> {
  const snapshot = await reader.snapshot(repository, name)
  return snapshot && viewOf(snapshot, await publishedPaths(reader))
}

/** Paths by the repository and revision that their current generations show. */
export async function publishedPaths(reader: CatalogReader): Promise<ReadonlyMap<string, readonly string[]>> {
  const paths = new Map<string, string[]>()
  for (const { path, current } of await reader.publications()) {
    for (const { repository, revision } of current?.sources ?? []) {
      const key = `${repository} ${revision}`
      paths.set(key, [...(paths.get(key) ?? []), path])
    }
  }
  return paths
}

function viewOf(snapshot: SnapshotRecord, published: ReadonlyMap<string, readonly string[]>): SnapshotView {
  const { repository, name, revision, createdAt, description, labels, createdBy, isPinned } = snapshot
  return {
    source: `${repository}@${name}`,
    revision: revision.number,
    packages: revision.packageCount,
    sizeBytes: revision.totalSize,
    createdAt,
    description,
    labels,
    createdBy,
    pinned: isPinned,
    published: published.get(`${repository} ${revision.number}`) ?? [],
  }
}
