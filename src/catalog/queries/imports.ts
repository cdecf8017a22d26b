import { type SqlBool, sql } from 'kysely'
import type { RepositoryId } from '../../core/model.ts'
import type { Session } from '../engine.ts'

const prefix = 'import:'

/** What a repository is called while it is imported: no repository can be configured under such an id. */
export function importedAs(id: RepositoryId): RepositoryId {
  return `${prefix}${id}` as RepositoryId
}

/** Of the row `repository`. */
export const isBeingImported = sql<SqlBool>`(repository.latest is not null and repository.latest = 0)`

/** Ids of repositories that are being imported, or were when a process died. In order. */
export async function openImports({ db }: Session): Promise<readonly RepositoryId[]> {
  const rows = await db.selectFrom('repository').select('id').where(isBeingImported).orderBy('id').execute()
  return rows.map(({ id }) => id.slice(prefix.length) as RepositoryId)
}
