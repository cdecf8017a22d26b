import { configuredRepository } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { parseSource } from '../source.ts'

/** Publishing gives what the catalog has: after a sync that failed, that is the last good revision, and a user should know. */
export const warnAboutFailedSync: UseCase<{ readonly source: string }, void> = async (
  { catalog, settings, reporter },
  { source },
) => {
  const { repository, at } = parseSource(source)
  if (at.kind !== 'latest') return
  const { id } = configuredRepository(settings, repository)
  await catalog.read(async (reader) => {
    const [last] = await reader.syncs(id, 1)
    if (!last?.error || last.revision === null) return
    reporter.report({
      type: 'warning',
      code: 'LAST_SYNC_FAILED',
      message: `the last sync of ${id} (${last.finishedAt.toISOString()}) ended as ${last.status}: publishing revision ${last.revision}, the last good one`,
      repository: id,
    })
  })
}
