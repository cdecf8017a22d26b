import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'

/** Where connections come from and go to. */
export interface ConnectionSource {
  acquire(): Promise<SqliteConnection>
  release(connection: SqliteConnection): void
  close(): void
}

/** Kysely on `node:sqlite`. */
export class SqliteDialect implements Dialect {
  readonly #connections: ConnectionSource
  readonly #begin: (connection: SqliteConnection) => Promise<void>

  /** @param begin starts a transaction */
  constructor(connections: ConnectionSource, begin: (connection: SqliteConnection) => Promise<void>) {
    this.#connections = connections
    this.#begin = begin
  }

  createDriver(): Driver {
    const connections = this.#connections
    const begin = this.#begin
    const known = (connection: DatabaseConnection): SqliteConnection => {
      if (connection instanceof SqliteConnection) return connection
      throw new Error('a connection of another driver')
    }
    return {
      init: async () => {},
      acquireConnection: () => connections.acquire(),
      beginTransaction: (connection) => begin(known(connection)),
      commitTransaction: async (connection) => known(connection).run('commit'),
      rollbackTransaction: async (connection) => {
        // A full disk or an I/O error has rolled back already.
        if (known(connection).inTransaction) known(connection).run('rollback')
      },
      releaseConnection: async (connection) => connections.release(known(connection)),
      destroy: async () => connections.close(),
    }
  }

  createQueryCompiler() {
    return new SqliteQueryCompiler()
  }

  createAdapter() {
    return new SqliteAdapter()
  }

  createIntrospector(db: Kysely<unknown>) {
    return new SqliteIntrospector(db)
  }
}

const maxStatements = 250

/** One connection and the statements prepared on it: preparing costs as much as a lookup. */
export class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  run(statement: string): void {
    this.#database.exec(statement)
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { statement, columns } = this.#prepare(query.sql)
    const parameters = query.parameters.map(sqliteValue)
    // The one place where rows get the type that the query was built with.
    if (columns.length > 0) return { rows: asObjects(statement.all(...parameters), columns) as Row[] }
    const { changes } = statement.run(...parameters)
    return { numAffectedRows: BigInt(changes), rows: [] }
  }

  streamQuery(): never {
    throw new Error('rows are read in pages, not streamed')
  }

  #prepare(text: string): Prepared {
    const known = this.#statements.get(text)
    if (known) {
      this.#statements.delete(text)
      this.#statements.set(text, known)
      return known
    }
    const statement = this.#database.prepare(text)
    const columns = statement.columns().map(({ name }) => name)
    if (columns.length > 0) statement.setReturnArrays(true)
    const prepared = { statement, columns }
    this.#statements.set(text, prepared)
    if (this.#statements.size > maxStatements) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    return prepared
  }
}

interface Prepared {
  readonly statement: StatementSync
  /** Names of what it gives; none where it only writes. */
  readonly columns: readonly string[]
}

/** As `node:sqlite` would itself, but all of one shape: its own objects are hash tables, several times slower to read. */
function asObjects(rows: readonly unknown[], columns: readonly string[]): readonly object[] {
  return rows.map((values) => {
    const row: Record<string, unknown> = {}
    if (!Array.isArray(values)) throw new Error('a row that is no array')
    for (let index = 0; index < columns.length; index++) row[columns[index] ?? ''] = values[index]
    return row
  })
}

function sqliteValue(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint')
    return value
  if (value instanceof Uint8Array) return value
  throw new Error(`not a value for SQLite: ${typeof value}`)
}
