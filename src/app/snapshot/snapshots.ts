import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type {
  SnapshotFacts,
  SnapshotName,
  SnapshotRecord,
  ViewSnapshotRecord,
} from '../../catalog/catalog-records.ts'
import type { CatalogWriter } from '../../catalog/catalog-writer.ts'
import type { Settings } from '../../config/settings.ts'
import type { RepositoryId } from '../../core/model.ts'
import { configuredOwner, type Owner } from '../configured.ts'
import { noSuchSnapshot, parseSnapshotSource, type Revisions } from '../source.ts'

/** A snapshot of a repository, or of a view. */
export interface Snapshot extends SnapshotFacts {
  readonly kind: Owner['kind']
  /** A repository's id, or a view's name. */
  readonly owner: string
  /** `OWNER@NAME` */
  readonly source: string
  readonly revisions: Revisions
}

/** In order of creation. Of one owner; or of all, also of those that are not configured any more. */
export async function findSnapshots(reader: CatalogReader, owner?: Owner): Promise<readonly Snapshot[]> {
  if (owner?.kind === 'repository') return (await reader.snapshots(owner.settings.id)).map(ofRepository)
  if (owner?.kind === 'view') return (await reader.viewSnapshots(owner.settings.name)).map(ofView)
  const all = [...(await reader.snapshots()).map(ofRepository), ...(await reader.viewSnapshots()).map(ofView)]
  return all.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
}

/** @throws ChantalError `NOT_FOUND` */
export async function findSnapshot(reader: CatalogReader, owner: Owner, name: string): Promise<Snapshot> {
  if (owner.kind === 'repository') {
    const { id } = owner.settings
    const found = await reader.snapshot(id, name)
    if (found) return ofRepository(found)
    throw noSuchSnapshot(id, name)
  }
  const found = await reader.viewSnapshot(owner.settings.name, name)
  if (found) return ofView(found)
  throw noSuchSnapshot(owner.settings.name, name)
}

/**
 * By `OWNER@NAME`, also where the repository or view is not configured any more.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export async function findNamed(
  reader: CatalogReader,
  settings: Settings,
  source: string,
): Promise<Snapshot> {
  const { owner, name } = parseSnapshotSource(source)
  const ofRepositories = await reader.snapshot(owner as RepositoryId, name)
  const ofViews = await reader.viewSnapshot(owner, name)
  // One of a name that another kind had in an earlier configuration is found as well, after what has it now.
  const found = [ofRepositories && ofRepository(ofRepositories), ofViews && ofView(ofViews)].filter(
    (snapshot) => snapshot !== null,
  )
  const isView = settings.views.some((view) => view.name === owner)
  const snapshot = found.find(({ kind }) => (kind === 'view') === isView) ?? found[0]
  if (snapshot) return snapshot
  configuredOwner(settings, owner)
  throw noSuchSnapshot(owner, name)
}

/** @throws ChantalError `ALREADY_EXISTS` */
export async function saveSnapshot(
  writer: CatalogWriter,
  { kind, owner, revisions, ...facts }: Omit<Snapshot, 'source'>,
): Promise<Snapshot> {
  if (kind === 'view') {
    const members = revisions.map(({ repository, number }) => ({ repository, revision: number }))
    return ofView(await writer.createViewSnapshot({ ...facts, view: owner, members }))
  }
  const [{ repository, number }] = revisions
  return ofRepository(await writer.createSnapshot({ ...facts, repository, revision: number }))
}

/** Pins it, or lets it go again. */
export async function keepSnapshot(
  writer: CatalogWriter,
  { kind, owner, name }: Pick<Snapshot, 'kind' | 'owner' | 'name'>,
  isPinned: boolean,
): Promise<void> {
  if (kind === 'view') await writer.pinViewSnapshot(owner, name, isPinned)
  else await writer.pinSnapshot(owner as RepositoryId, name, isPinned)
}

export async function removeSnapshot(
  writer: CatalogWriter,
  { kind, owner, name }: Pick<Snapshot, 'kind' | 'owner' | 'name'>,
): Promise<void> {
  if (kind === 'view') await writer.deleteViewSnapshot(owner, name)
  else await writer.deleteSnapshot(owner as RepositoryId, name)
}

/** What the catalog calls it. */
export function nameOfSnapshot({
  kind,
  owner,
  name,
}: Pick<Snapshot, 'kind' | 'owner' | 'name'>): SnapshotName {
  return kind === 'view' ? { view: owner, name } : { repository: owner as RepositoryId, name }
}

function ofRepository({ repository, revision, ...facts }: SnapshotRecord): Snapshot {
  const source = `${repository}@${facts.name}`
  return { ...facts, kind: 'repository', owner: repository, source, revisions: [revision] }
}

function ofView({ view, ...facts }: ViewSnapshotRecord): Snapshot {
  return { ...facts, kind: 'view', owner: view, source: `${view}@${facts.name}` }
}
