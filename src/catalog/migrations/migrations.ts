import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import { ChantalError } from '../../core/errors.ts'
import type { ColumnTypes, SqlEngine } from '../engine.ts'
import type { Tables } from '../schema.ts'
import { firstSchema } from './0001-first-schema.ts'
import { packageSignatures } from './0002-package-signatures.ts'

export interface Migration {
  readonly number: number
  readonly name: string
  readonly statements: (types: ColumnTypes) => readonly string[]
}

/** In order, numbered without gaps. One that was released never changes. */
const migrations: readonly Migration[] = [firstSchema, packageSignatures]

/**
 * Brings the schema up to date and gives the catalog its id. Of several processes that start at once, one migrates and the others wait for it.
 * @throws ChantalError `CATALOG_TOO_NEW` where a newer program has migrated already
 */
export async function migrate(engine: SqlEngine, now: () => Date): Promise<void> {
  if (await engine.read((db) => isUpToDate(engine, db))) return
  await engine.write(
    async (db) => {
      await engine.lockSchema(db)
      if (await isUpToDate(engine, db)) return
      await sql
        .raw(
          `create table if not exists migration (number ${engine.types.integer} primary key, name ${engine.types.text} not null, applied_at ${engine.types.integer} not null)`,
        )
        .execute(db)
      const applied = await appliedNumber(db)
      for (const migration of migrations.slice(applied)) {
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
    },
    // What the process that we waited for has committed must be seen.
    'read committed',
  )
}

async function isUpToDate(engine: SqlEngine, db: Kysely<Tables>): Promise<boolean> {
  if (!(await engine.hasTable(db, 'migration'))) return false
  const applied = await appliedNumber(db)
  if (applied > migrations.length) {
    throw new ChantalError(
      'CATALOG_TOO_NEW',
      `the catalog has schema ${applied}, this program knows ${migrations.length}`,
      {
        hint: 'Use the newer version of the program that migrated this catalog.',
        details: { schema: applied, known: migrations.length },
      },
    )
  }
  return applied === migrations.length
}

async function appliedNumber(db: Kysely<Tables>): Promise<number> {
  const row = await db
    .selectFrom('migration')
    .select(({ fn }) => fn.max('number').as('number'))
    .executeTakeFirst()
  return row?.number ?? 0
}
