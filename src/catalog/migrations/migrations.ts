import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { ChantalError } from '../../core/errors.ts'
import type { ColumnTypes, SqlEngine } from '../engine.ts'
import type { Tables } from '../schema.ts'
import { firstSchema } from './0001-first-schema.ts'
import { packageSignatures } from './0002-package-signatures.ts'
import { snapshotMakers } from './0003-snapshot-makers.ts'
import { nativeRecordsOfMirrors } from './0004-native-records-of-mirrors.ts'
import { viewSnapshots } from './0005-view-snapshots.ts'
import { kindsOfChanges } from './0006-kinds-of-changes.ts'
import { ownersOfWork } from './0007-owners-of-work.ts'

export interface Migration {
  readonly number: number
  readonly name: string
  readonly statements: (types: ColumnTypes) => readonly string[]
}

/** In order, numbered without gaps. One that was released never changes. */
const migrations: readonly Migration[] = [
  firstSchema,
  packageSignatures,
  snapshotMakers,
  nativeRecordsOfMirrors,
  viewSnapshots,
  kindsOfChanges,
  ownersOfWork,
]

export interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly appliedAt: Date
}

/** What this program knows, oldest first. */
export function knownSchema(): readonly { readonly number: number; readonly name: string }[] {
  return migrations.map(({ number, name }) => ({ number, name }))
}

/** All that makes the tables out of nothing. */
export function schemaStatements(types: ColumnTypes): readonly string[] {
  return [migrationTable(types), ...migrations.flatMap(({ statements }) => statements(types))]
}

/**
 * Brings the schema up to date and gives the catalog its id. Of several processes that start at once, one migrates and the others wait for it.
 * @returns what this process did
 * @throws ChantalError `CATALOG_TOO_NEW` where a newer program has migrated already
 */
export async function migrate(
  engine: SqlEngine,
  now: () => Date,
): Promise<{
  readonly from: number
  readonly to: number
  readonly applied: readonly { readonly number: number; readonly name: string }[]
}> {
  const to = migrations.length
  if ((await engine.read((db) => readSchema(engine, db))).length === to) return { from: to, to, applied: [] }
  return engine.write(
    async (db) => {
      await engine.lockSchema(db)
      const from = (await readSchema(engine, db)).length
      const pending = migrations.slice(from)
      if (pending.length === 0) return { from, to, applied: [] }
      await sql.raw(migrationTable(engine.types)).execute(db)
      for (const migration of pending) {
        for (const statement of migration.statements(engine.types)) await sql.raw(statement).execute(db)
        await db
          .insertInto('migration')
          .values({ number: migration.number, name: migration.name, applied_at: now().getTime() })
          .execute()
      }
      await db
        .insertInto('meta')
        .values({ name: 'catalog', value: randomUUID() })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      return { from, to, applied: pending.map(({ number, name }) => ({ number, name })) }
    },
    // What the process that we waited for has committed must be seen.
    'read committed',
  )
}

/** Migrations that were applied, oldest first. @throws ChantalError `CATALOG_TOO_NEW` */
export async function readSchema(
  engine: SqlEngine,
  db: Kysely<Tables>,
): Promise<readonly AppliedMigration[]> {
  if (!(await engine.hasTable(db, 'migration'))) return []
  const rows = await db.selectFrom('migration').selectAll().orderBy('number').execute()
  const newest = rows.at(-1)?.number ?? 0
  if (newest > migrations.length) {
    throw new ChantalError(
      'CATALOG_TOO_NEW',
      `the catalog has schema ${newest}, this program knows ${migrations.length}`,
      {
        hint: 'Use the newer version of the program that migrated this catalog.',
        details: { schema: newest, known: migrations.length },
      },
    )
  }
  return rows.map(({ number, name, applied_at }) => ({ number, name, appliedAt: new Date(applied_at) }))
}

function migrationTable({ integer, text }: ColumnTypes): string {
  return `create table if not exists migration (number ${integer} primary key, name ${text} not null, applied_at ${integer} not null)`
}
