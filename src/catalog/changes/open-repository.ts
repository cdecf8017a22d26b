import { ChantalError } from '../../core/errors.ts'
import type { OpenRevision } from '../catalog-writer.ts'
import type { Session } from '../engine.ts'
import { repositoryKey } from '../queries/repository-key.ts'

/**
 * The repository's key, where its revision is open, and still that of whoever opened it. Written and not only looked up: a transaction that
 * takes it over meanwhile collides with this one.
 * @throws ChantalError `LEASE_LOST`: only someone who took the repository over closes it under its writer
 */
export async function openRepositoryKey(session: Session, revision: OpenRevision): Promise<number> {
  const { number, openedBy } = revision
  const repository = await repositoryKey(session, revision.repository)
  const lost = () =>
    takenOver(`revision ${number} of ${revision.repository} is not open any more`, {
      repository: revision.repository,
      revision: number,
    })
  if (repository === null) throw lost()
  const row = await session.db
    .updateTable('revision')
    .set({ opened_by: openedBy })
    .where('repository', '=', repository)
    .where('number', '=', number)
    .where('sealed_at', 'is', null)
    .where('opened_by', '=', openedBy)
    .returning('number')
    .executeTakeFirst()
  if (!row) throw lost()
  return repository
}

/** What a writer is told whose repository is another's by now. */
export function takenOver(message: string, details: ChantalError['details']): ChantalError {
  return new ChantalError('LEASE_LOST', message, {
    hint: 'Run the command again: another process has taken this repository over.',
    details,
  })
}
