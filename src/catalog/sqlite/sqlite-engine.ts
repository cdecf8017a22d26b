import { mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, sql } from 'kysely'
import { ChantalError, hasSystemCode } from '../../core/errors.ts'
import type { SqlEngine } from '../engine.ts'
import type { Tables } from '../schema.ts'
import { type ConnectionSource, SqliteConnection, SqliteDialect } from './sqlite-dialect.ts'
import { explainSqliteError, isBusy } from './sqlite-errors.ts'
import {
  backupSqlite,
  compareSqliteSchema,
  findIntegrityFlaws,
  sizeOfSqlite,
  vacuumSqlite,
} from './sqlite-upkeep.ts'

/** How long a writer waits for writers in other processes. Their transactions are short. */
const busyLimitMs = 60_000

/**
 * A SQLite file in WAL mode: one writer at a time, readers that neither wait nor make wait. A committed row survives a power cut.
 * Made readable by its owner alone where it does not exist.
 * @throws ChantalError `CATALOG_UNAVAILABLE`, `DISK_FULL`, `NOT_WRITABLE` where its folder cannot be made
 */
export async function openSqlite(file: string, now: () => Date): Promise<SqlEngine> {
  try {
    await createFile(file)
    const first = await connectWriter(file)
    return createEngine(file, first, now)
  } catch (error) {
    throw explainSqliteError(error, file)
  }
}

async function createFile(file: string): Promise<void> {
  try {
    await makeFolder(path.dirname(file))
    const handle = await open(file, 'wx', 0o600)
    await handle.close()
  } catch (error) {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new ChantalError(
        'NOT_WRITABLE',
        `cannot make ${file}: something on the way is no folder, or a link that leads nowhere`,
        { cause: error, hint: 'Is the disk mounted? If it is, correct the path.', details: { file } },
      )
    }
    if (!hasSystemCode(error, 'EEXIST')) throw error
  }
}

/** One level at a time: Node's own `recursive` tries for ever in a folder that answers ENOENT, as /proc does. */
async function makeFolder(folder: string): Promise<void> {
  const make = () =>
    mkdir(folder).catch((error: unknown) => {
      if (!hasSystemCode(error, 'EEXIST')) throw error
    })
  try {
    await make()
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT') || folder === path.dirname(folder)) throw error
    await makeFolder(path.dirname(folder))
    await make()
  }
}

async function connectWriter(file: string): Promise<SqliteConnection> {
  const database = new DatabaseSync(file, { timeout: 100, enableForeignKeyConstraints: true })
  try {
    // Turning WAL on takes the file for itself; another process may be doing it right now.
    await retryBusy(() => {
      database.exec('pragma journal_mode = wal')
    })
    // With WAL, `normal` may lose the last commits when power fails.
    database.exec('pragma synchronous = full')
    database.exec('pragma cache_size = -8000')
    database.exec('pragma analysis_limit = 1000')
    return new SqliteConnection(database)
  } catch (error) {
    database.close()
    throw error
  }
}

function createEngine(file: string, writer: SqliteConnection, now: () => Date): SqlEngine {
  const writers = new OneConnection(writer)
  const writing = new Kysely<Tables>({
    dialect: new SqliteDialect(writers, (connection) => retryBusy(() => connection.run('begin immediate'))),
  })
  const readers = new ReaderConnections(file)
  const reading = new Kysely<Tables>({
    dialect: new SqliteDialect(readers, async (connection) => connection.run('begin')),
  })
  const explained = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw explainSqliteError(error, file)
    }
  }

  return {
    kind: 'sqlite',
    types: {
      key: 'integer primary key',
      text: 'text',
      integer: 'integer',
      bytes: 'blob',
      strict: 'strict',
      strictByKey: 'strict, without rowid',
    },
    read: (work) => explained(() => reading.transaction().execute(work)),
    write: (work) => explained(() => writing.transaction().execute(work)),
    rows: (rows, columns, alias) => {
      const names = Object.keys(columns)
      const fields = names.map(
        (name, index) => sql`json_extract(value, ${sql.lit(`$[${index}]`)}) as ${sql.ref(name)}`,
      )
      // Values are found by their place in nearly half the time that their names would take.
      const values = rows.map((row) => names.map((name) => row[name]))
      return sql<never>`(select ${sql.join(fields)} from json_each(${JSON.stringify(values)}))`.as(alias)
    },
    hasTable: async (db, name) => {
      const found = await sql`select 1 from sqlite_master where type = 'table' and name = ${name}`.execute(db)
      return found.rows.length > 0
    },
    // A writing transaction is alone already.
    lockSchema: async () => {},
    lockLeases: async () => {},
    clock: async () => now().getTime(),
    analyze: async (db) => {
      await sql`analyze`.execute(db)
    },
    size: () => explained(() => sizeOfSqlite(file)),
    vacuum: () =>
      explained(async () => {
        const connection = await writers.acquire()
        try {
          await retryBusy(() => vacuumSqlite((statement) => connection.run(statement)))
        } finally {
          writers.release()
        }
      }),
    backup: (target, signal) => explained(() => backupSqlite(file, target, signal)),
    compareSchema: (statements) => explained(async () => compareSqliteSchema(file, statements)),
    integrityFlaws: () => explained(async () => findIntegrityFlaws(file)),
    [Symbol.asyncDispose]: async () => {
      // The writer last: whoever closes last folds the log into the file, which a read-only connection cannot.
      readers.close()
      writer.close()
    },
  }
}

/** Hands out one connection to one transaction at a time, first come, first served. */
class OneConnection implements ConnectionSource {
  readonly #connection: SqliteConnection
  readonly #waiting: (() => void)[] = []
  #isTaken = false

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  async acquire(): Promise<SqliteConnection> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#isTaken = true
    return this.#connection
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#isTaken = false
  }

  close(): void {}
}

const idleReaders = 4

/** As many read-only connections as there are reads at a time: a read inside a read must not wait for it. */
class ReaderConnections implements ConnectionSource {
  readonly #file: string
  readonly #idle: SqliteConnection[] = []
  #isClosed = false

  constructor(file: string) {
    this.#file = file
  }

  async acquire(): Promise<SqliteConnection> {
    if (this.#isClosed) throw new Error('the catalog is closed')
    const idle = this.#idle.pop()
    return idle ?? new SqliteConnection(new DatabaseSync(this.#file, { readOnly: true, timeout: 1000 }))
  }

  release(connection: SqliteConnection): void {
    if (!this.#isClosed && this.#idle.length < idleReaders && !connection.inTransaction)
      this.#idle.push(connection)
    else connection.close()
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#idle.splice(0)) connection.close()
  }
}

/** Waits without blocking the event loop, as SQLite's own waiting would: leases must go on being renewed. */
async function retryBusy(work: () => void): Promise<void> {
  const started = performance.now()
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 100)) {
    try {
      work()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() - started > busyLimitMs) throw error
    }
    await sleep(pauseMs * (0.5 + Math.random() / 2))
  }
}
