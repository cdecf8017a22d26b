import { type SqlBool, sql } from 'kysely'
import type { SnapshotUse } from '../catalog-records.ts'
import type { Session } from '../engine.ts'

type Uses = Map<string, SnapshotUse[]>

/** By `ID@NAME`. Everything that needs snapshots is asked here: what a snapshot is used by keeps it from being pruned. */
export async function findSnapshotUses(
  session: Session,
): Promise<ReadonlyMap<string, readonly SnapshotUse[]>> {
  const uses: Uses = new Map()
  await findPublished(session, uses)
  await findPublishedViews(session, uses)
  await findInViewSnapshots(session, uses)
  return uses
}

function note(uses: Uses, source: string, use: SnapshotUse): void {
  const known = uses.get(source)
  if (known) known.push(use)
  else uses.set(source, [use])
}

async function findPublished({ db }: Session, uses: Uses): Promise<void> {
  const rows = await db
    .selectFrom('generation_source')
    .innerJoin('generation', 'generation.pk', 'generation_source.generation')
    .innerJoin('repository', 'repository.pk', 'generation_source.repository')
    .innerJoin('snapshot', (join) =>
      join
        .onRef('snapshot.repository', '=', 'generation_source.repository')
        .onRef('snapshot.revision', '=', 'generation_source.revision'),
    )
    .select(['repository.id', 'snapshot.name', 'generation.publication'])
    .distinct()
    .orderBy('generation.publication')
    .execute()
  for (const { id, name, publication } of rows)
    note(uses, `${id}@${name}`, { kind: 'publication', path: publication })
}

/** A view's snapshot is shown by generations of all its revisions, and of no others. */
async function findPublishedViews({ db }: Session, uses: Uses): Promise<void> {
  const members = await db
    .selectFrom('view_snapshot_member')
    .innerJoin('view_snapshot', 'view_snapshot.pk', 'view_snapshot_member.snapshot')
    .select(['view', 'name', 'repository', 'revision'])
    .orderBy('snapshot')
    .orderBy('position')
    .execute()
  if (members.length === 0) return
  const sources = await db
    .selectFrom('generation_source')
    .innerJoin('generation', 'generation.pk', 'generation_source.generation')
    .select(['generation', 'publication', 'repository', 'revision'])
    .where(sql<SqlBool>`${sql.ref('publication')} like 'views/%'`)
    .orderBy('publication')
    .orderBy('generation')
    .orderBy('position')
    .execute()
  const contentOf = (rows: readonly { readonly repository: number; readonly revision: number }[]) =>
    rows.map(({ repository, revision }) => `${repository}:${revision}`).join(' ')
  const paths = new Map<string, Set<(typeof sources)[number]['publication']>>()
  for (const shown of Map.groupBy(sources, ({ generation }) => generation).values()) {
    const content = contentOf(shown)
    for (const { publication } of shown.slice(0, 1))
      paths.set(content, (paths.get(content) ?? new Set()).add(publication))
  }
  for (const [source, frozen] of Map.groupBy(members, ({ view, name }) => `${view}@${name}`)) {
    for (const path of paths.get(contentOf(frozen)) ?? [])
      if (path.startsWith(`views/${frozen[0]?.view}/`)) note(uses, source, { kind: 'publication', path })
  }
}

async function findInViewSnapshots({ db }: Session, uses: Uses): Promise<void> {
  const rows = await db
    .selectFrom('view_snapshot_member')
    .innerJoin('view_snapshot', 'view_snapshot.pk', 'view_snapshot_member.snapshot')
    .innerJoin('repository', 'repository.pk', 'view_snapshot_member.repository')
    .innerJoin('snapshot', (join) =>
      join
        .onRef('snapshot.repository', '=', 'view_snapshot_member.repository')
        .onRef('snapshot.revision', '=', 'view_snapshot_member.revision'),
    )
    .select(['repository.id', 'snapshot.name', 'view_snapshot.view', 'view_snapshot.name as viewSnapshot'])
    .orderBy('view_snapshot.pk')
    .execute()
  for (const { id, name, view, viewSnapshot } of rows)
    note(uses, `${id}@${name}`, { kind: 'view snapshot', source: `${view}@${viewSnapshot}` })
}
