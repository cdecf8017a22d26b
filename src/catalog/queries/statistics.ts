import { sql } from 'kysely'
import type { Session } from '../engine.ts'
import type { CatalogStatistics, EcosystemStatistics, RepositoryStatistics } from '../statistics.ts'
import { readGrowth } from './growth.ts'
import { readHeldBytes } from './held-bytes.ts'
import { isBeingImported } from './imports.ts'

export async function readStatistics(session: Session): Promise<CatalogStatistics> {
  const tables = await readTables(session)
  const held = await readHeldBytes(session)
  const repositories = await readRepositories(session)
  const byRepository = repositories.map(({ pk, ...statistics }) => ({
    ...statistics,
    heldBytes: held.byRepository.get(pk)?.held ?? 0,
    ownBytes: held.byRepository.get(pk)?.own ?? 0,
  }))
  return {
    ...tables,
    publishedBytes: await readPublishedBytes(session),
    byRepository,
    byEcosystem: sumByEcosystem(byRepository, held.byEcosystem),
    months: await readGrowth(session),
  }
}

const sum = (column: string) => sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`

async function readTables({ db }: Session) {
  const rowsOf = async (
    table:
      | 'snapshot'
      | 'view_snapshot'
      | 'publication'
      | 'generation'
      | 'package'
      | 'package_file'
      | 'repository_file'
      | 'sync',
  ) => {
    const counted = await db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow()
    return counted.rows
  }
  const sealed = db.selectFrom('revision').where('sealed_at', 'is not', null)
  const kept = await sealed
    .select(({ fn }) => [fn.countAll<number>().as('rows'), sum('total_size').as('bytes')])
    .where('pruned_at', 'is', null)
    .executeTakeFirstOrThrow()
  const pruned = await sealed
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .where('pruned_at', 'is not', null)
    .executeTakeFirstOrThrow()
  const chunks = await db
    .selectFrom('record_chunk')
    .select(({ fn }) => [
      fn.countAll<number>().as('rows'),
      sql<number>`cast(coalesce(sum(length(data)), 0) as bigint)`.as('bytes'),
    ])
    .executeTakeFirstOrThrow()
  const blobs = await db
    .selectFrom('blob')
    .select(({ fn }) => [fn.countAll<number>().as('rows'), sum('size').as('bytes')])
    .executeTakeFirstOrThrow()
  return {
    revisions: kept.rows,
    prunedRevisions: pruned.rows,
    snapshots: (await rowsOf('snapshot')) + (await rowsOf('view_snapshot')),
    publications: await rowsOf('publication'),
    generations: await rowsOf('generation'),
    packages: await rowsOf('package'),
    packageFiles: await rowsOf('package_file'),
    repositoryFiles: await rowsOf('repository_file'),
    recordChunks: chunks.rows,
    recordBytes: chunks.bytes,
    syncs: await rowsOf('sync'),
    blobs: blobs.rows,
    blobBytes: blobs.bytes,
    referencedBytes: kept.bytes,
  }
}

async function readPublishedBytes({ db }: Session): Promise<number> {
  const { bytes } = await db
    .selectFrom('publication')
    .innerJoin('generation', (join) =>
      join
        .onRef('generation.publication', '=', 'publication.path')
        .onRef('generation.name', '=', 'publication.current'),
    )
    .innerJoin('generation_source', 'generation_source.generation', 'generation.pk')
    .innerJoin('revision', (join) =>
      join
        .onRef('revision.repository', '=', 'generation_source.repository')
        .onRef('revision.number', '=', 'generation_source.revision'),
    )
    .select(sum('total_size').as('bytes'))
    .executeTakeFirstOrThrow()
  return bytes
}

async function readRepositories({
  db,
}: Session): Promise<readonly (Omit<RepositoryStatistics, 'heldBytes' | 'ownBytes'> & { pk: number })[]> {
  const revisions = await db
    .selectFrom('revision')
    .select(({ fn }) => ['repository', fn.countAll<number>().as('rows'), sum('total_size').as('bytes')])
    .where('sealed_at', 'is not', null)
    .where('pruned_at', 'is', null)
    .groupBy('repository')
    .execute()
  const countBy = async (table: 'snapshot' | 'package') => {
    const rows = await db
      .selectFrom(table)
      .select(({ fn }) => ['repository', fn.countAll<number>().as('rows')])
      .groupBy('repository')
      .execute()
    return new Map(rows.map((row) => [row.repository, row.rows]))
  }
  const snapshots = await countBy('snapshot')
  const packages = await countBy('package')
  const revisionsOf = new Map(revisions.map((row) => [row.repository, row]))
  const repositories = await db
    .selectFrom('repository')
    .leftJoin('revision', (join) =>
      join
        .onRef('revision.repository', '=', 'repository.pk')
        .onRef('revision.number', '=', 'repository.latest'),
    )
    .select(['repository.pk', 'repository.id', 'ecosystem', 'repository.mode', 'package_count', 'total_size'])
    .where(({ not }) => not(isBeingImported))
    .orderBy('repository.id')
    .execute()
  return repositories.map(({ pk, id, ecosystem, mode, package_count, total_size }) => ({
    pk,
    repository: id,
    ecosystem,
    mode,
    revisions: revisionsOf.get(pk)?.rows ?? 0,
    snapshots: snapshots.get(pk) ?? 0,
    packages: package_count ?? 0,
    sizeBytes: total_size ?? 0,
    packageRows: packages.get(pk) ?? 0,
    referencedBytes: revisionsOf.get(pk)?.bytes ?? 0,
  }))
}

function sumByEcosystem(
  repositories: readonly RepositoryStatistics[],
  held: ReadonlyMap<string, number>,
): readonly EcosystemStatistics[] {
  const groups = [...Map.groupBy(repositories, ({ ecosystem }) => ecosystem)]
  return groups
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([ecosystem, members]) => {
      const total = (figure: 'revisions' | 'snapshots' | 'packages' | 'sizeBytes' | 'referencedBytes') =>
        members.reduce((all, member) => all + member[figure], 0)
      return {
        ecosystem,
        repositories: members.length,
        revisions: total('revisions'),
        snapshots: total('snapshots'),
        packages: total('packages'),
        sizeBytes: total('sizeBytes'),
        referencedBytes: total('referencedBytes'),
        heldBytes: held.get(ecosystem) ?? 0,
      }
    })
}
