import type { CatalogDatabase } from '../../catalog/catalog-database.ts'

/** The shape of `db backup --json`. */
export interface BackupOutput {
  /** As given. */
  readonly file: string
  /** A database file, or what `pg_restore` reads. */
  readonly format: 'sqlite' | 'pg_dump'
  readonly sizeBytes: number
  readonly durationMs: number
}

/**
 * Copies the catalog while others work, in the schema that it has. The pool and what is published are not in it.
 * @param input.file an absolute path, or one relative to the working folder
 * @throws ChantalError as `CatalogDatabase.backup`
 */
export async function backUpDatabase(
  { database, now }: { readonly database: CatalogDatabase; readonly now: () => Date },
  input: { readonly file: string; readonly force: boolean },
  signal: AbortSignal,
): Promise<BackupOutput> {
  const startedAt = now().getTime()
  const { format, sizeBytes } = await database.backup(input.file, input.force, signal)
  return { file: input.file, format, sizeBytes, durationMs: now().getTime() - startedAt }
}
