import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { Revision } from '../../core/model.ts'
import { matchesPattern } from '../../core/pattern.ts'
import { chooseOwners, configuredOwner } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { kindOf, ownerOf } from '../publish/published-path.ts'
import { type ResolvedSource, type Revisions, resolveSource } from '../source.ts'
import { findSnapshot, findSnapshots, type Snapshot } from './snapshots.ts'

/** A row of `snapshot list`. */
export interface SnapshotView {
  /** `ID@NAME`, or of a view `NAME@SNAPSHOT`. */
  readonly source: string
  /** `null` of a view: `members` have theirs. */
  readonly revision: number | null
  /** Of a view, in order; none of a repository. */
  readonly members: readonly FrozenMember[]
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

export interface FrozenMember {
  readonly repository: string
  readonly revision: number
}

/** @param input.ids repositories, views, or shell patterns; none means all. @throws ChantalError `NOT_FOUND` */
export const listSnapshots: UseCase<{ readonly ids: readonly string[] }, readonly SnapshotView[]> = async (
  { catalog, settings },
  { ids },
) => {
  chooseOwners(settings, ids)
  return catalog.read(async (reader) => {
    const published = await publishedPaths(reader)
    const all = await findSnapshots(reader)
    return all
      .filter(({ owner }) => ids.length === 0 || ids.some((id) => matchesPattern(owner, id)))
      .map((snapshot) => viewOf(snapshot, published))
  })
}

/** What `snapshot show SOURCE` tells; of a source that is no snapshot, what is behind it. */
export interface SourceView {
  readonly source: string
  /** `null` of a view. */
  readonly repository: string | null
  readonly view: string | null
  /** `null` of a view: `members` have theirs. */
  readonly revision: number | null
  readonly mode: string | null
  readonly packages: number
  readonly sizeBytes: number
  /** Of a view, when the newest of its revisions was. */
  readonly sealedAt: Date
  /** Of a view, in order; none of a repository. */
  readonly members: readonly SourceMember[]
  readonly snapshot: SnapshotView | null
  readonly published: readonly string[]
}

export interface SourceMember extends FrozenMember {
  readonly mode: string
  readonly packages: number
  readonly sizeBytes: number
  readonly sealedAt: Date
}

/** @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export const showSource: UseCase<{ readonly source: string }, SourceView> = async (
  { catalog, settings },
  { source },
) =>
  catalog.read(async (reader) => {
    const found = await resolveSource(reader, settings, source)
    const { kind, label, owner, snapshot, revisions } = found
    const [revision] = revisions
    const isView = kind === 'view'
    const published = await publishedPaths(reader)
    const record =
      snapshot === null ? null : await findSnapshot(reader, configuredOwner(settings, owner), snapshot)
    return {
      source: label,
      repository: isView ? null : owner,
      view: isView ? owner : null,
      revision: isView ? null : revision.number,
      mode: isView ? null : revision.mode,
      packages: packagesIn(revisions),
      sizeBytes: sizeOf(revisions),
      sealedAt: new Date(Math.max(...revisions.map(({ sealedAt }) => sealedAt.getTime()))),
      members: isView ? revisions.map(memberOf) : [],
      snapshot: record && viewOf(record, published),
      published: published.get(shownKey(found)) ?? [],
    }
  })

export async function viewSnapshot(reader: CatalogReader, snapshot: Snapshot): Promise<SnapshotView> {
  return viewOf(snapshot, await publishedPaths(reader))
}

/** As a row, of a snapshot that nobody has published yet. */
export function viewOfNew(snapshot: Snapshot): SnapshotView {
  return viewOf(snapshot, new Map())
}

/** Paths by what their current generations show: see {@link shownKey}. Those of views also by the revision of each member. */
export async function publishedPaths(reader: CatalogReader): Promise<ReadonlyMap<string, readonly string[]>> {
  const paths = new Map<string, string[]>()
  const note = (key: string, path: string) => {
    const known = paths.get(key)
    if (known) known.push(path)
    else paths.set(key, [path])
  }
  for (const { path, current } of await reader.publications()) {
    const sources = current?.sources ?? []
    for (const { repository, revision } of sources) note(`${repository} ${revision}`, path)
    if (kindOf(path) === 'view') note(keyOfView(ownerOf(path), sources), path)
  }
  return paths
}

/** `epel9 3`, or of a view `el9: baseos9 2, epel9 3`. */
function shownKey({ kind, owner, revisions }: Pick<ResolvedSource, 'kind' | 'owner' | 'revisions'>): string {
  const shown = revisions.map(({ repository, number }) => ({ repository, revision: number }))
  const [{ repository, number }] = revisions
  return kind === 'view' ? keyOfView(owner, shown) : `${repository} ${number}`
}

function keyOfView(view: string, shown: readonly FrozenMember[]): string {
  return `${view}: ${shown.map(({ repository, revision }) => `${repository} ${revision}`).join(', ')}`
}

export function packagesIn(revisions: Revisions): number {
  return revisions.reduce((sum, { packageCount }) => sum + packageCount, 0)
}

/** A file that two members share counts for each. */
function sizeOf(revisions: Revisions): number {
  return revisions.reduce((sum, { totalSize }) => sum + totalSize, 0)
}

function memberOf({ repository, number, mode, packageCount, totalSize, sealedAt }: Revision): SourceMember {
  return {
    repository,
    revision: number,
    mode,
    packages: packageCount,
    sizeBytes: totalSize,
    sealedAt,
  }
}

function viewOf(snapshot: Snapshot, published: ReadonlyMap<string, readonly string[]>): SnapshotView {
  const { kind, source, revisions, createdAt, description, labels, createdBy, isPinned } = snapshot
  const isView = kind === 'view'
  return {
    source,
    revision: isView ? null : revisions[0].number,
    members: isView ? revisions.map(({ repository, number }) => ({ repository, revision: number })) : [],
    packages: packagesIn(revisions),
    sizeBytes: sizeOf(revisions),
    createdAt,
    description,
    labels,
    createdBy,
    pinned: isPinned,
    published: published.get(shownKey(snapshot)) ?? [],
  }
}
