import type { RelativePath } from '../../core/path.ts'
import type { GenerationRecord, PublicationRecord } from '../catalog-records.ts'
import type { Session } from '../engine.ts'

/** One, or all in path order. */
export async function findPublications(
  session: Session,
  path: RelativePath | null,
): Promise<readonly PublicationRecord[]> {
  let query = session.db.selectFrom('publication').selectAll().orderBy('path')
  if (path !== null) query = query.where('path', '=', path)
  const rows = await query.execute()
  const generations = await findGenerations(session, path)
  const byName = new Map(generations.map((record) => [`${record.path}\n${record.generation}`, record]))
  return rows.map((row) => ({
    path: row.path,
    current: byName.get(`${row.path}\n${row.current}`) ?? null,
    heldSince: row.held_since === null ? null : new Date(row.held_since),
  }))
}

/** Oldest first. */
export async function findGenerations(
  { db }: Session,
  path: RelativePath | null,
): Promise<readonly GenerationRecord[]> {
  let generations = db.selectFrom('generation').selectAll().orderBy('published_at').orderBy('pk')
  let sources = db
    .selectFrom('generation_source')
    .innerJoin('generation', 'generation.pk', 'generation_source.generation')
    .innerJoin('repository', 'repository.pk', 'generation_source.repository')
    .select(['generation', 'repository.id', 'generation_source.revision', 'source'])
    .orderBy('generation')
    .orderBy('position')
  if (path !== null) {
    generations = generations.where('publication', '=', path)
    sources = sources.where('generation.publication', '=', path)
  }
  const byGeneration = Map.groupBy(await sources.execute(), ({ generation }) => generation)
  const rows = await generations.execute()
  return rows.map((row) => ({
    path: row.publication,
    generation: row.name,
    publishedAt: new Date(row.published_at),
    sources: (byGeneration.get(row.pk) ?? []).map(({ id, revision, source }) => ({
      repository: id,
      revision,
      source,
    })),
    packages: row.packages,
    files: row.files,
    signedBy: row.signed_by,
    fingerprint: row.fingerprint,
  }))
}
