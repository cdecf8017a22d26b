import * as z from 'zod'
import { leaseRow, verified } from './pool.ts'
import { bytes, count, durationMs, flag, text, textOrNull, texts, time } from './values.ts'

const engine = z.enum(['sqlite', 'postgresql']).describe('What the catalog is kept in.')
const ratio = (what: string) => z.number().nullable().describe(`${what} \`null\` while nothing is stored.`)

const activity = {
  revisions: count('Sealed in that time, also those whose content was forgotten since.'),
  syncs: count('Runs of `repo sync`.'),
  fetched_files: count('Files that they fetched.'),
  fetched_bytes: bytes('What those took.'),
}

export const databaseStatistics = z.strictObject({
  engine,
  size_bytes: bytes('The database itself.'),
  revisions: count('That are kept.'),
  pruned_revisions: count('Whose content was forgotten.'),
  snapshots: count('Of all repositories and views.'),
  publications: count('Published paths.'),
  generations: count('Trees behind them.'),
  packages: count('Rows: one for each time a package came or changed.'),
  package_files: count('Files of these.'),
  repository_files: count('Files that belong to no package, one for each time they came or changed.'),
  record_chunks: count('Chunks of native records.'),
  record_bytes: bytes('What those take, compressed.'),
  syncs: count('Runs that history tells of.'),
  blobs: count('Files in the pool.'),
  blob_bytes: bytes('What they take.'),
  referenced_bytes: bytes('What kept revisions hold, each counted for itself.'),
  published_bytes: bytes('What published paths show, each counted for itself.'),
  dedupe_ratio: ratio('Referenced over stored.'),
  published_ratio: ratio('Published over stored.'),
  by_repository: z
    .array(
      z.strictObject({
        repository: text('Its id.'),
        ecosystem: text('Its kind.'),
        mode: text('`mirror`, `filtered`, `hosted`.'),
        revisions: count('That are kept.'),
        snapshots: count('Of it.'),
        packages: count('In its latest revision.'),
        size_bytes: bytes('The latest revision.'),
        package_rows: count('Rows of it.'),
        referenced_bytes: bytes('What its kept revisions hold, each counted for itself.'),
        held_bytes: bytes('Distinct blobs that it names.'),
        own_bytes: bytes('Of these, what no other repository names.'),
      }),
    )
    .describe('In order of their ids.'),
  by_ecosystem: z
    .array(
      z.strictObject({
        ecosystem: text('The kind of repository.'),
        repositories: count('Of that kind.'),
        revisions: count('That are kept.'),
        snapshots: count('Of them.'),
        packages: count('In their latest revisions.'),
        size_bytes: bytes('The latest revisions, each counted for itself.'),
        referenced_bytes: bytes('What kept revisions hold, each counted for itself.'),
        held_bytes: bytes('Distinct blobs that they name.'),
      }),
    )
    .describe('In order of their names.'),
  months: z
    .array(
      z.strictObject({
        month: text('`2026-08`, in UTC.'),
        ...activity,
        packages_added: count('By syncs that sealed a revision.'),
        packages_removed: count('By syncs that sealed a revision.'),
        packages: count('In the revisions that were the latest at its end.'),
        size_bytes: bytes('Those revisions, each counted for itself.'),
      }),
    )
    .describe('Months in which anything was synced or sealed, oldest first.'),
  recent: z
    .array(z.strictObject({ days: count('How far back it reaches.'), ...activity }))
    .describe('What the last days brought.'),
})

const migration = { number: count('Its number.'), name: text('What it brings.') }

export const databaseStatus = z.strictObject({
  engine,
  location: text('The file, or the URL without its password.'),
  id: textOrNull('Of the catalog, which the pool is marked with; `null` where there is none yet.'),
  size_bytes: bytes('The database itself.'),
  schema: count('The newest migration that was applied; 0 where there is no catalog.'),
  known_schema: count('The newest that this program knows.'),
  applied: z
    .array(z.strictObject({ ...migration, applied_at: time('When it was.') }))
    .describe('Migrations, oldest first.'),
  pending: z.array(z.strictObject(migration)).describe('Migrations that `db upgrade` would run.'),
  leases: z.array(leaseRow).describe('Who works on what.'),
})

export const databaseUpgrade = z.strictObject({
  from: count('The schema before; 0 where there was no catalog.'),
  to: count('The schema now.'),
  applied: z.array(z.strictObject(migration)).describe('Migrations that were run.'),
})

export const databaseVacuum = z.strictObject({
  engine,
  before_bytes: bytes('The database before.'),
  after_bytes: bytes('The database now.'),
  duration_ms: durationMs,
})

export const databaseBackup = z.strictObject({
  file: text('Where it is.'),
  format: z.enum(['sqlite', 'pg_dump']).describe('A database file, or what `pg_restore` reads.'),
  size_bytes: bytes('The file.'),
  duration_ms: durationMs,
})

export const databaseVerified = z.strictObject({
  repositories: count('In the catalog.'),
  revisions: count('That are kept.'),
  packages: count('Rows.'),
  blobs: count('Rows.'),
  publications: count('Published paths.'),
  deep: flag('Whether the bytes of blobs were read, and not only their sizes.'),
  flaws: z
    .array(
      z.strictObject({
        check: z
          .enum(['file', 'schema', 'reference', 'interval', 'revision', 'record', 'publication'])
          .describe('What was looked at.'),
        repository: textOrNull('Its id, where it is one repository’s.'),
        subject: text('A table, a revision, a key, a path.'),
        message: text('What is wrong with it.'),
        repaired: z.boolean().optional().describe('Of publications: whether it was put right.'),
      }),
    )
    .describe('What contradicts itself or the disk; of one kind of trouble at most a thousand.'),
  damaged: verified.shape.damaged.describe('Blobs that are missing or corrupt.'),
  unreplaced: verified.shape.unreplaced,
  unnamed_blobs: count('Blobs in the pool that no row names: the next garbage collection’s.'),
  repaired: count('Blobs and publications that were put right.'),
  duration_ms: durationMs,
})

export const databaseCleanUp = z.strictObject({
  repositories: z
    .array(
      z.strictObject({
        repository: text('Its id.'),
        ecosystem: text('Its kind.'),
        revisions: count('That are kept.'),
        snapshots: texts('`ID@NAME`'),
        publications: texts('Paths that show nothing but it.'),
        packages: count('In its latest revision.'),
        bytes: bytes('Blobs that no other repository names: what garbage collection frees after it.'),
        outcome: z.enum(['removed', 'removable', 'kept']).describe('`removable` after a dry run.'),
        reason: textOrNull('Why it is kept.'),
      }),
    )
    .describe('Repositories of the catalog that are in no configuration.'),
  dry_run: flag('Whether nothing was touched.'),
})
