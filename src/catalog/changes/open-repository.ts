import { ChantalError } from '../../core/errors.ts'
import type { OpenRevision } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { repositoryKey } from '../queries/repository-key.ts'

/**
 * The repository's key, where its revision is open.
 * @throws ChantalError `LEASE_LOST`: only someone who took the repository over closes it under its writer
 */
export async function openRepositoryKey(session: Session, revision: OpenRevision): Promise<number> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository !== null && (await isOpen(session, repository, revision.number))) return repository
  throw new ChantalError(
    'LEASE_LOST',
    `revision ${revision.number} of ${revision.repository} is not open any more`,
    {
      hint: 'Run the command again: another process has taken this repository over.',
      details: { repository: revision.repository, revision: revision.number },
    },
  )
}

export async function isOpen({ db }: Session, repository: number, number: number): Promise<boolean> {
  const row = await db
    .selectFrom('revision')
    .select('number')
    .where('repository', '=', repository)
    .where('number', '=', number)
    .where('sealed_at', 'is', null)
    .executeTakeFirst()
  return row !== undefined
}
