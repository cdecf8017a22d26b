import { stat } from 'node:fs/promises'
import type { Kysely } from 'kysely'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import type { SqlEngine } from './engine.ts'
import type { LeaseHealth } from './lease.ts'
import { type HostFacts, readHostFacts } from './leases/host.ts'
import { findLeaseHealth } from './leases/lease-health.ts'
import { type AppliedMigration, knownSchema, migrate, readSchema } from './migrations/migrations.ts'
import type { CatalogLocation } from './open-catalog.ts'
import { openEngine } from './open-engine.ts'
import type { Tables } from './schema.ts'
import { writeWhole } from './whole-file.ts'

/** The database behind a catalog, as it is: opening it makes nothing and migrates nothing. */
export interface CatalogDatabase {
  /** @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW` */
  status(): Promise<DatabaseStatus>

  /**
   * Runs the migrations that are pending; makes the catalog where there is none.
   * @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW`, `DISK_FULL`
   */
  upgrade(): Promise<DatabaseUpgrade>

  /**
   * Copies one consistent state while others work: SQLite into a database file of the same kind, PostgreSQL with `pg_dump` into a file for
   * `pg_restore`. The file is complete or not there, and readable by its owner alone. Migrates nothing before.
   * @throws ChantalError `NOT_FOUND` where there is no catalog, `ALREADY_EXISTS` unless `isReplaced`, `USAGE_INVALID` without `pg_dump` or
   *   onto the catalog itself, `NOT_WRITABLE`, `DISK_FULL`
   */
  backup(target: string, isReplaced: boolean, signal: AbortSignal): Promise<DatabaseBackup>
}

export interface DatabaseStatus {
  readonly engine: 'sqlite' | 'postgresql'
  /** The file, or the URL without its password. */
  readonly location: string
  /** Of the catalog; `null` where there is none yet. */
  readonly id: string | null
  readonly sizeBytes: number
  /** Number of the newest migration that was applied; 0 where there is no catalog. */
  readonly schema: number
  /** Number of the newest that this program knows. */
  readonly knownSchema: number
  readonly applied: readonly AppliedMigration[]
  readonly pending: readonly MigrationName[]
  readonly leases: readonly LeaseHealth[]
}

export interface MigrationName {
  readonly number: number
  readonly name: string
}

export interface DatabaseUpgrade {
  readonly from: number
  readonly to: number
  readonly applied: readonly MigrationName[]
}

export interface DatabaseBackup {
  readonly sizeBytes: number
  readonly format: 'sqlite' | 'pg_dump'
}

export interface DatabaseOptions {
  readonly url: CatalogLocation
  readonly now: () => Date
  readonly host?: HostFacts
}

export function openDatabase(options: DatabaseOptions): CatalogDatabase {
  const { url, now } = options
  const using = async <T>(work: (engine: SqlEngine) => Promise<T>): Promise<T> => {
    await using engine = await openEngine(options)
    return await work(engine)
  }
  return {
    status: async () => ((await isThere(url)) ? using((engine) => readStatus(engine, options)) : absent(url)),
    upgrade: () => using((engine) => migrate(engine, now)),
    backup: async (target, isReplaced, signal) => {
      if (!(await isThere(url))) throw noCatalog(url)
      await assertElsewhere(url, target)
      return using(async (engine) => {
        if ((await engine.read((db) => readSchema(engine, db))).length === 0) throw noCatalog(url)
        const sizeBytes = await writeWhole(target, isReplaced, (file) => engine.backup(file, signal))
        return { sizeBytes, format: engine.kind === 'sqlite' ? 'sqlite' : 'pg_dump' }
      })
    },
  }
}

async function readStatus(engine: SqlEngine, { url, host }: DatabaseOptions): Promise<DatabaseStatus> {
  const sizeBytes = await engine.size()
  return engine.read(async (db) => {
    const applied = await readSchema(engine, db)
    return {
      ...absent(url),
      id: applied.length > 0 ? await readId(db) : null,
      sizeBytes,
      schema: applied.at(-1)?.number ?? 0,
      applied,
      pending: knownSchema().slice(applied.length),
      leases: applied.length > 0 ? await findLeaseHealth({ db, engine }, host ?? readHostFacts()) : [],
    }
  })
}

function absent(url: CatalogLocation): DatabaseStatus {
  const known = knownSchema()
  return {
    engine: url.kind,
    location: locationOf(url),
    id: null,
    sizeBytes: 0,
    schema: 0,
    knownSchema: known.length,
    applied: [],
    pending: known,
    leases: [],
  }
}

async function readId(db: Kysely<Tables>): Promise<string | null> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', 'catalog').executeTakeFirst()
  return row?.value ?? null
}

/** Opening an SQLite database would make it. */
async function isThere(url: CatalogLocation): Promise<boolean> {
  if (url.kind === 'postgresql') return true
  try {
    await stat(url.file)
    return true
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}

async function assertElsewhere(url: CatalogLocation, target: string): Promise<void> {
  if (url.kind === 'postgresql') return
  const [own, other] = await Promise.all([
    stat(url.file),
    stat(target).catch((error: unknown) => {
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return null
      throw error
    }),
  ])
  if (other?.ino !== own.ino || other.dev !== own.dev) return
  throw new ChantalError('USAGE_INVALID', `${target} is the catalog itself`, { hint: 'Choose another file.' })
}

function noCatalog(url: CatalogLocation): ChantalError {
  return new ChantalError('NOT_FOUND', `there is no catalog at ${locationOf(url)}`, {
    hint: 'Correct database.url.',
  })
}

function locationOf(url: CatalogLocation): string {
  if (url.kind === 'sqlite') return url.file
  const shown = new URL(url.url)
  shown.password = ''
  return shown.href
}
