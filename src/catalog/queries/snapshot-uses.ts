import type { SnapshotUse } from '../catalog.ts'
import type { Session } from '../engine.ts'

/** By `ID@NAME`. Everything that needs snapshots is asked here: what a snapshot is used by keeps it from being pruned. */
export async function findSnapshotUses({
  db,
}: Session): Promise<ReadonlyMap<string, readonly SnapshotUse[]>> {
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
  const uses = new Map<string, SnapshotUse[]>()
  for (const { id, name, publication } of rows) {
    const use: SnapshotUse = { kind: 'publication', path: publication }
    const source = `${id}@${name}`
    const known = uses.get(source)
    if (known) known.push(use)
    else uses.set(source, [use])
  }
  return uses
}
