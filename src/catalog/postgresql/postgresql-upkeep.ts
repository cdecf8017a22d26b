import { type Kysely, sql } from 'kysely'
import type { SchemaParts } from '../engine.ts'
import type { Tables } from '../schema.ts'

/** What `VACUUM` may be told of: the rest of the database is not ours. */
export const catalogTables: readonly (keyof Tables & string)[] = [
  'migration',
  'meta',
  'repository',
  'revision',
  'package',
  'package_file',
  'package_record',
  'repository_file',
  'record_chunk',
  'blob',
  'blob_checksum',
  'snapshot',
  'publication',
  'generation',
  'generation_source',
  'sync',
  'lease',
]

export async function sizeOfPostgresql(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(
    db,
  )
  return rows[0]?.bytes ?? 0
}

/**
 * The expected one is made of temporary tables, which take no privilege and go with the transaction: the caller rolls it back.
 * Names of schemas are taken out of what the server says.
 */
export async function comparePostgresqlSchema(db: Kysely<Tables>, statements: readonly string[]) {
  const { rows } = await sql<{ schema: string }>`
    select nspname as schema from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where pg_class.oid = to_regclass('migration')
  `.execute(db)
  const schema = rows[0]?.schema ?? 'public'
  const found = await partsOf(db, schema)
  await sql`set local search_path = pg_temp`.execute(db)
  for (const statement of statements) await sql.raw(statement).execute(db)
  const temporary = await sql<{
    schema: string
  }>`select nspname as schema from pg_namespace where oid = pg_my_temp_schema()`.execute(db)
  return { found, expected: await partsOf(db, temporary.rows[0]?.schema ?? 'pg_temp') }
}

async function partsOf(db: Kysely<Tables>, schema: string): Promise<SchemaParts> {
  const { rows } = await sql<{ part: string; says: string }>`
    select 'column ' || c.relname || '.' || a.attname as part,
      format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || l.collname, '')
        || case when a.attnotnull then ' not null' else '' end as says
    from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_collation l on l.oid = a.attcollation
    where n.nspname = ${schema} and c.relkind in ('r', 'p')
    union all
    select 'index ' || c.relname, pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' (invalid)' end
    from pg_index i
      join pg_class c on c.oid = i.indexrelid
      join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema}
    union all
    select 'constraint ' || r.relname || '.' || c.conname,
      pg_get_constraintdef(c.oid) || case when c.convalidated then '' else ' (not valid)' end
    from pg_constraint c
      join pg_class r on r.oid = c.conrelid
      join pg_namespace n on n.oid = c.connamespace
    where n.nspname = ${schema}
  `.execute(db)
  return new Map(
    rows.map(({ part, says }) => [part, says.replaceAll(`${schema}.`, '').replaceAll('pg_temp.', '')]),
  )
}
