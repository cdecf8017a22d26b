import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { SyncRecord } from '../../catalog/catalog-records.ts'
import type { RepositoryId } from '../../core/model.ts'
import { configuredOwner } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { parseSource } from '../source.ts'

/** Publishing gives what the catalog has: after a sync that failed, that is the last good revision, and a user should know. */
export const warnAboutFailedSync: UseCase<{ readonly source: string }, void> = async (
  { catalog, settings, reporter },
  { source },
) => {
  const { owner: name, at } = parseSource(source)
  const owner = configuredOwner(settings, name)
  if (at.kind !== 'latest') return
  const ids = owner.kind === 'view' ? owner.settings.repositories : [owner.settings.id]
  await catalog.read(async (reader) => {
    for (const id of ids) {
      const last = await failedSync(reader, id)
      if (!last || last.revision === null) continue
      reporter.report({
        type: 'warning',
        code: 'LAST_SYNC_FAILED',
        message: `the last sync of ${id} (${last.finishedAt.toISOString()}) ended as ${last.status}: publishing revision ${last.revision}, the last good one`,
        repository: id,
      })
    }
  })
}

/** A repository's last sync, where it ended with an error. */
export async function failedSync(reader: CatalogReader, id: RepositoryId): Promise<SyncRecord | null> {
  const [last] = await reader.syncs(id, 1)
  return last?.error ? last : null
}
