import type { SqlEngine } from './engine.ts'
import type { CatalogLocation } from './open-catalog.ts'
import { openSqlite } from './sqlite/sqlite-engine.ts'

/** The driver of a server is loaded where there is one. */
export async function openEngine({
  url,
  now,
}: {
  readonly url: CatalogLocation
  readonly now: () => Date
}): Promise<SqlEngine> {
  if (url.kind === 'sqlite') return openSqlite(url.file, now)
  const { openPostgresql } = await import('./postgresql/postgresql-engine.ts')
  return openPostgresql(url)
}
