import { type Kysely, sql } from 'kysely'
import type { Catalog } from './catalog.ts'
import type { SqlEngine } from './engine.ts'
import { findSchemaFlaws } from './flaws/schema-flaws.ts'
import type { LeaseTerms } from './lease.ts'
import { type HostFacts, readHostFacts } from './leases/host.ts'
import { dropDeadLeases, findLeaseHealth } from './leases/lease-health.ts'
import { LeaseKeeper } from './leases/lease-keeper.ts'
import { migrate } from './migrations/migrations.ts'
import { openEngine } from './open-engine.ts'
import type { Tables } from './schema.ts'
import { SqlReader } from './sql-reader.ts'
import { SqlWriter } from './sql-writer.ts'

export type CatalogLocation =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgresql'; readonly url: URL; readonly password: string | null }

export interface CatalogOptions {
  readonly url: CatalogLocation
  readonly now: () => Date
  readonly leaseTerms?: LeaseTerms
  readonly host?: HostFacts
}

const defaultTerms: LeaseTerms = { ttlMs: 60_000, renewEveryMs: 15_000 }

/**
 * Opens the catalog, makes it where there is none, and brings its schema up to date.
 * @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW`, `DISK_FULL`
 */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const engine = await openEngine(options)
  try {
    await migrate(engine, options.now)
    let id = await readId(engine)
    const host = options.host ?? readHostFacts()
    const keeper = new LeaseKeeper(engine, host, options.leaseTerms ?? defaultTerms)
    return {
      get id() {
        return id
      },
      adoptId: async (other) => {
        const isAdopted = await engine.write((db) => adoptId(db, other))
        if (isAdopted) id = other
        return isAdopted
      },
      read: (work) => engine.read((db) => work(new SqlReader({ db, engine }))),
      write: (work) => engine.write((db) => work(new SqlWriter({ db, engine }))),
      acquire: (request) => keeper.acquire(request),
      leases: () => engine.read((db) => findLeaseHealth({ db, engine }, host)),
      dropDeadLeases: (acquiredBefore) => dropDeadLeases(engine, host, acquiredBefore),
      size: () => engine.size(),
      vacuum: () => engine.vacuum(),
      schemaFlaws: () => findSchemaFlaws(engine),
      [Symbol.asyncDispose]: async () => {
        await keeper[Symbol.asyncDispose]()
        await engine[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await engine[Symbol.asyncDispose]()
    throw error
  }
}

async function adoptId(db: Kysely<Tables>, id: string): Promise<boolean> {
  for (const table of ['revision', 'blob', 'publication'] as const) {
    const row = await db.selectFrom(table).select(sql<number>`1`.as('one')).limit(1).executeTakeFirst()
    if (row) return false
  }
  await db.updateTable('meta').set({ value: id }).where('name', '=', 'catalog').execute()
  return true
}

async function readId(engine: SqlEngine): Promise<string> {
  const row = await engine.read((db) =>
    db.selectFrom('meta').select('value').where('name', '=', 'catalog').executeTakeFirstOrThrow(),
  )
  return row.value
}
