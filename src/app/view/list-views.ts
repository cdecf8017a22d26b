import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { ViewSettings } from '../../config/settings.ts'
import { configuredRepository, configuredView } from '../configured.ts'
import type { AppContext, UseCase } from '../context.ts'
import { kindOf, ownerOf } from '../publish/published-path.ts'

/** A row of `view list`. */
export interface ViewRow {
  readonly name: string
  readonly description: string | null
  readonly type: string
  /** Ids, in order. */
  readonly members: readonly string[]
  /** Of all members' latest revisions. */
  readonly packages: number
  /** A file that two members share counts for each. */
  readonly sizeBytes: number
  /** Whether every member has a revision that it can be published from. */
  readonly ready: boolean
}

/** Configured views, in the configuration's order. */
export const listViews: UseCase<object, readonly ViewRow[]> = async ({ catalog, settings }) =>
  catalog.read(async (reader) => {
    const rows: ViewRow[] = []
    for (const view of settings.views)
      rows.push(rowOf(settings, view, await membersOf(reader, settings, view)))
    return rows
  })

/** What `view show NAME` tells. */
export interface ViewDetails extends Omit<ViewRow, 'members'> {
  readonly members: readonly ViewMemberRow[]
  /** Fingerprint of the key that its trees are signed with; `null` publishes them unsigned. */
  readonly signedWith: string | null
  /** `NAME@SNAPSHOT`, oldest first. */
  readonly snapshots: readonly string[]
  /** Paths, in order. */
  readonly published: readonly string[]
}

export interface ViewMemberRow {
  readonly repository: string
  readonly mode: string
  /** The latest; `null` where it was never synced. */
  readonly revision: number | null
  readonly packages: number
  readonly sizeBytes: number
  readonly lastSync: { readonly at: Date; readonly status: string } | null
  /** Whether its latest revision comes with what a view's metadata is generated from. */
  readonly ready: boolean
}

/** @throws ChantalError `NOT_FOUND`; `CONFIG_INVALID`, `SIGNING_FAILED` where its key cannot be used */
export const showView: UseCase<{ readonly name: string }, ViewDetails> = async (context, { name }) => {
  const { catalog, settings } = context
  const view = configuredView(settings, name)
  const signer = await context.signerOf(view)
  return catalog.read(async (reader) => {
    const members = await membersOf(reader, settings, view)
    const snapshots = await reader.viewSnapshots(view.name)
    const publications = await reader.publications()
    return {
      ...rowOf(settings, view, members),
      members,
      signedWith: signer?.kind === 'openpgp' ? signer.fingerprint : (signer?.keyName ?? null),
      snapshots: snapshots.map((snapshot) => `${view.name}@${snapshot.name}`),
      published: publications
        .filter(({ path }) => kindOf(path) === 'view' && ownerOf(path) === view.name)
        .map(({ path }) => path),
    }
  })
}

async function membersOf(
  reader: CatalogReader,
  settings: AppContext['settings'],
  { repositories }: ViewSettings,
): Promise<readonly ViewMemberRow[]> {
  const rows: ViewMemberRow[] = []
  for (const id of repositories) {
    const latest = (await reader.repository(id))?.latest ?? null
    const [last] = await reader.syncs(id, 1)
    rows.push({
      repository: id,
      mode: configuredRepository(settings, id).mode,
      revision: latest?.number ?? null,
      packages: latest?.packageCount ?? 0,
      sizeBytes: latest?.totalSize ?? 0,
      lastSync: last ? { at: last.finishedAt, status: last.status } : null,
      ready: latest?.hasRecords ?? false,
    })
  }
  return rows
}

function rowOf(
  settings: AppContext['settings'],
  { name, description, repositories }: ViewSettings,
  members: readonly ViewMemberRow[],
): ViewRow {
  const [first] = repositories
  if (!first) throw new Error(`the view ${name} has no members`)
  return {
    name,
    description,
    type: configuredRepository(settings, first).ecosystem,
    members: repositories,
    packages: members.reduce((sum, { packages }) => sum + packages, 0),
    sizeBytes: members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ready: members.every(({ ready }) => ready),
  }
}
