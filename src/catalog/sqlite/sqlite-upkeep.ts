import { open, stat } from 'node:fs/promises'
import { backup, DatabaseSync } from 'node:sqlite'
import { hasSystemCode } from '../../core/errors.ts'
import type { SchemaParts } from '../engine.ts'
import { explainCopyError } from './sqlite-errors.ts'

/** Copied at a time, outside of the main thread. */
const backupPages = 2000

/** With what was committed and is not yet in the file itself. */
export async function sizeOfSqlite(file: string): Promise<number> {
  let bytes = 0
  for (const name of [file, `${file}-wal`]) {
    const found = await stat(name).catch((error: unknown) => {
      if (hasSystemCode(error, 'ENOENT')) return null
      throw error
    })
    bytes += found?.size ?? 0
  }
  return bytes
}

/** Blocks until it is done: an old copy of the file is written anew, in the order of its tables. */
export function vacuumSqlite(run: (statement: string) => void): void {
  run('pragma wal_checkpoint(truncate)')
  run('vacuum')
  run('analyze')
  run('pragma wal_checkpoint(truncate)')
}

/**
 * The state of one moment: a transaction that only reads keeps writers' later pages out of the copy, which would otherwise begin anew
 * at each of them. The copy is one file without a log, and holds no leases: whoever held them has nothing to do with it.
 * @throws ChantalError `DISK_FULL` and `NOT_WRITABLE` of the copy's folder; else what SQLite says of the catalog
 */
export async function backupSqlite(file: string, target: string, signal: AbortSignal): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    source.exec('begin')
    source.prepare('select count(*) from sqlite_master').get()
    await writeCopy(source, target, signal)
  } finally {
    source.close()
  }
}

/** What fails from here on is the copy's disk: the catalog has been read from. */
async function writeCopy(source: DatabaseSync, target: string, signal: AbortSignal): Promise<void> {
  try {
    await backup(source, target, {
      rate: backupPages,
      progress: () => {
        signal.throwIfAborted()
      },
    })
    signal.throwIfAborted()
    dropLeases(target)
    await using handle = await open(target, 'r+')
    await handle.sync()
  } catch (error) {
    throw explainCopyError(error, target)
  }
}

function dropLeases(target: string): void {
  const copy = new DatabaseSync(target)
  try {
    copy.exec('pragma journal_mode = delete')
    const leases = copy.prepare("select 1 from sqlite_master where type = 'table' and name = 'lease'").all()
    if (leases.length > 0) copy.exec('delete from lease')
  } finally {
    copy.close()
  }
}

/** As `sqlite_master` has it. */
export function compareSqliteSchema(file: string, statements: readonly string[]) {
  const blank = new DatabaseSync(':memory:')
  const real = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    for (const statement of statements) blank.exec(statement)
    return { found: partsOf(real), expected: partsOf(blank) }
  } finally {
    blank.close()
    real.close()
  }
}

function partsOf(database: DatabaseSync): SchemaParts {
  const rows = database
    .prepare("select type || ' ' || name as part, sql from sqlite_master where name not like 'sqlite%'")
    .all()
  return new Map(rows.map(({ part, sql }) => [String(part), String(sql).replaceAll(/\s+/g, ' ').trim()]))
}

/** Whether pages and trees of the file hang together. Blocks until it is done. */
export function findIntegrityFlaws(file: string): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    return database
      .prepare('pragma quick_check(100)')
      .all()
      .map((row) => String(row['quick_check']))
      .filter((line) => line !== 'ok')
  } finally {
    database.close()
  }
}
