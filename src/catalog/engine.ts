import type { AliasedRawBuilder, Kysely } from 'kysely'
import type { Tables } from './schema.ts'

/** How an engine writes column types and table options in `create table`. */
export interface ColumnTypes {
  /** An integer that numbers rows by itself. */
  readonly key: string
  /** Text that is compared byte for byte. */
  readonly text: string
  readonly integer: string
  readonly bytes: string
  /** Table option. */
  readonly strict: string
  /** The same, for a table that is kept in the order of its primary key. */
  readonly strictByKey: string
}

export type ColumnType = 'text' | 'bigint'

/** A table's column, an index, a constraint: `package.key` or the name of an index, and what the database says of it. */
export type SchemaParts = ReadonlyMap<string, string>

/** One SQL database. What SQLite and PostgreSQL say differently is behind this; queries are written once. */
export interface SqlEngine extends AsyncDisposable {
  readonly kind: 'sqlite' | 'postgresql'
  readonly types: ColumnTypes

  /** One consistent state, from the first query on. */
  read<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>

  /**
   * One transaction that sees one state. `work` runs again after a conflict with another transaction.
   * @param isolation `read committed` sees what others commit meanwhile; only PostgreSQL knows the difference
   */
  write<T>(work: (db: Kysely<Tables>) => Promise<T>, isolation?: 'read committed'): Promise<T>

  /**
   * Rows from the program as a table, in one parameter: what makes bulk changes one statement.
   * @param columns in a fixed order, so that the statement's text stays the same
   */
  rows<Row extends Readonly<Record<string, string | number | null>>, Alias extends string>(
    rows: readonly Row[],
    columns: { readonly [Name in keyof Row]: ColumnType },
    alias: Alias,
  ): AliasedRawBuilder<Row, Alias>

  hasTable(db: Kysely<Tables>, name: string): Promise<boolean>
  /** Until the transaction ends, no other passes here. */
  lockSchema(db: Kysely<Tables>): Promise<void>
  /** Before anything is read: until the transaction ends, leases stay as they are. */
  lockLeases(db: Kysely<Tables>): Promise<void>
  /** Milliseconds since 1970, by the clock that all users of the database share. */
  clock(db: Kysely<Tables>): Promise<number>
  /** After much was written: statistics for the planner. */
  analyze(db: Kysely<Tables>): Promise<void>

  /** In bytes. */
  size(): Promise<number>
  /** Gives back what deleted rows took, and makes the statistics anew. Outside of transactions. */
  vacuum(): Promise<void>
  /** One consistent state in a file that is empty yet, durable once this resolves. Others go on working. */
  backup(file: string, signal: AbortSignal): Promise<void>
  /** What there is, and what these statements make of an empty database. Changes nothing. */
  compareSchema(
    statements: readonly string[],
  ): Promise<{ readonly found: SchemaParts; readonly expected: SchemaParts }>
  /** What the database itself finds wrong with its file, at most a hundred things; nothing where it sees to that itself. */
  integrityFlaws(): Promise<readonly string[]>
}

/** What a query needs: a transaction, and its engine for what must be said differently. */
export interface Session {
  readonly db: Kysely<Tables>
  readonly engine: SqlEngine
}
