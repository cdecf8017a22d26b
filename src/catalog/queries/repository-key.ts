import type { RepositoryId } from '../../core/model.ts'
import type { Session } from '../engine.ts'

/** The number that rows name a repository by; `null` where the catalog has not seen it. */
export async function repositoryKey({ db }: Session, id: RepositoryId): Promise<number | null> {
  const row = await db.selectFrom('repository').select('pk').where('id', '=', id).executeTakeFirst()
  return row?.pk ?? null
}

/** For where it must have been saved before; anything else is a bug. */
export async function knownRepositoryKey(session: Session, id: RepositoryId): Promise<number> {
  const key = await repositoryKey(session, id)
  if (key === null) throw new Error(`repository ${id} was never saved`)
  return key
}
