import { sql } from 'kysely'
import { type CatalogFlaw, maxFlaws } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'
import type { Tables } from '../schema.ts'

type Table = keyof Tables & string

/** Rows of `from` that must find one of `to`. */
interface Reference {
  readonly from: Table
  readonly columns: readonly string[]
  readonly to: Table
  readonly toColumns: readonly string[]
  /** What tells a person which row it is. */
  readonly subject: string
}

/** Also those that no constraint stands for. */
const references: readonly Reference[] = [
  { from: 'revision', columns: ['repository'], to: 'repository', toColumns: ['pk'], subject: 'number' },
  { from: 'package', columns: ['repository'], to: 'repository', toColumns: ['pk'], subject: 'key' },
  { from: 'package_file', columns: ['package'], to: 'package', toColumns: ['pk'], subject: 'path' },
  { from: 'package_file', columns: ['blob'], to: 'blob', toColumns: ['pk'], subject: 'path' },
  { from: 'package_record', columns: ['package'], to: 'package', toColumns: ['pk'], subject: 'package' },
  { from: 'package_record', columns: ['chunk'], to: 'record_chunk', toColumns: ['pk'], subject: 'package' },
  { from: 'record_chunk', columns: ['repository'], to: 'repository', toColumns: ['pk'], subject: 'pk' },
  { from: 'repository_file', columns: ['repository'], to: 'repository', toColumns: ['pk'], subject: 'path' },
  { from: 'repository_file', columns: ['blob'], to: 'blob', toColumns: ['pk'], subject: 'path' },
  { from: 'blob_checksum', columns: ['blob'], to: 'blob', toColumns: ['pk'], subject: 'hex' },
  {
    from: 'snapshot',
    columns: ['repository', 'revision'],
    to: 'revision',
    toColumns: ['repository', 'number'],
    subject: 'name',
  },
  {
    from: 'view_snapshot_member',
    columns: ['snapshot'],
    to: 'view_snapshot',
    toColumns: ['pk'],
    subject: 'position',
  },
  {
    from: 'view_snapshot_member',
    columns: ['repository', 'revision'],
    to: 'revision',
    toColumns: ['repository', 'number'],
    subject: 'position',
  },
  { from: 'generation', columns: ['publication'], to: 'publication', toColumns: ['path'], subject: 'name' },
  {
    from: 'publication',
    columns: ['path', 'current'],
    to: 'generation',
    toColumns: ['publication', 'name'],
    subject: 'path',
  },
  {
    from: 'generation_source',
    columns: ['generation'],
    to: 'generation',
    toColumns: ['pk'],
    subject: 'source',
  },
  {
    from: 'generation_source',
    columns: ['repository', 'revision'],
    to: 'revision',
    toColumns: ['repository', 'number'],
    subject: 'source',
  },
]

export async function* brokenReferences(session: Session): AsyncGenerator<CatalogFlaw> {
  for (const reference of references) yield* rowsWithout(session, reference)
  yield* packagesWithoutFile(session)
}

async function* rowsWithout({ db }: Session, reference: Reference): AsyncGenerator<CatalogFlaw> {
  const { from, columns, to, toColumns, subject } = reference
  const pairs = columns.map((column, index) => ({ column, target: toColumns[index] ?? column }))
  const matches = pairs.map(({ column, target }) => sql`t.${sql.ref(target)} = f.${sql.ref(column)}`)
  const named = pairs.map(({ column }) => sql`f.${sql.ref(column)} is not null`)
  const { rows } = await sql<{ subject: string }>`
    select cast(f.${sql.ref(subject)} as text) as subject from ${sql.table(from)} as f
    where ${sql.join(named, sql` and `)}
      and not exists (select 1 from ${sql.table(to)} as t where ${sql.join(matches, sql` and `)})
    limit ${maxFlaws}
  `.execute(db)
  for (const row of rows) {
    yield {
      check: 'reference',
      repository: null,
      subject: `${from} ${row.subject}`,
      message: `names a ${to.replaceAll('_', ' ')} that is not there (${columns.join(', ')})`,
    }
  }
}

async function* packagesWithoutFile({ db }: Session): AsyncGenerator<CatalogFlaw> {
  const rows = await db
    .selectFrom('package')
    .innerJoin('repository', 'repository.pk', 'package.repository')
    .select(['package.key', 'repository.id'])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('package_file')
            .select('package_file.path')
            .whereRef('package_file.package', '=', 'package.pk'),
        ),
      ),
    )
    .limit(maxFlaws)
    .execute()
  for (const { key, id } of rows)
    yield { check: 'reference', repository: id, subject: key, message: 'a package without a file' }
}
