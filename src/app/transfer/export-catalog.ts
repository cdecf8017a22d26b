import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import type { RepositoryRecord, ViewSnapshotRecord } from '../../catalog/catalog-records.ts'
import type { ByteSource } from '../../core/bytes.ts'
import { ChantalError } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import { matchesPattern } from '../../core/pattern.ts'
import { chooseExportFormat } from '../../transfer/export-format.ts'
import { type ExportItem, exportVersion } from '../../transfer/export-schema.ts'
import { writeExport } from '../../transfer/write-export.ts'
import type { UseCase } from '../context.ts'
import { byCreation, encodeRepository, encodeViewSnapshot } from './encode-repository.ts'

export interface ExportCatalogInput {
  /** Ids or shell patterns; none: all, and the catalog's id with them. */
  readonly ids: readonly string[]
  /** Whose name chooses the format, unless `as` does: `json`, `yaml.gz`, ... */
  readonly file: string
  readonly as: string | null
  /** Takes the bytes while they are made. */
  readonly write: (bytes: ByteSource) => Promise<void>
}

/** The shape of `db export --json`. */
export interface ExportCatalogOutput {
  readonly repositories: number
  readonly revisions: number
  /** Of repositories and of views. */
  readonly snapshots: number
  /** Each once for each time it came or changed. */
  readonly packages: number
}

/**
 * Writes what the catalog holds of repositories, as of one moment. Equal catalogs give equal bytes, whatever database they are in: order
 * is fixed, and nothing of this host or this moment is in it.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` where nothing says the format, and what `write` throws
 */
export const exportCatalog: UseCase<ExportCatalogInput, ExportCatalogOutput> = async (
  { catalog },
  { ids, file, as, write },
  signal,
) => {
  const format = chooseExportFormat(file, as)
  return catalog.read(async (reader) => {
    const repositories = chooseHeld(await reader.repositories(), ids)
    const counts = { repositories: repositories.length, revisions: 0, snapshots: 0, packages: 0 }
    async function* counted() {
      for await (const item of encodeAll(reader, repositories)) {
        signal.throwIfAborted()
        if (item.type === 'revision') counts.revisions += 1
        if (item.type === 'snapshot' || item.type === 'view_snapshot') counts.snapshots += 1
        if (item.type === 'package') counts.packages += 1
        yield item
      }
    }
    const header = {
      chantal_export: exportVersion,
      // Whoever restores a part must not be taken for the whole: garbage collection would take the rest of the pool.
      catalog: ids.length === 0 ? catalog.id : null,
    } as const
    await write(writeExport(format, header, counted()))
    return counts
  })
}

async function* encodeAll(
  reader: CatalogReader,
  repositories: readonly RepositoryRecord[],
): AsyncGenerator<ExportItem> {
  for (const repository of repositories) yield* encodeRepository(reader, repository)
  const viewSnapshots = await viewSnapshotsWithin(reader, repositories)
  for (const snapshot of viewSnapshots) yield encodeViewSnapshot(snapshot)
  yield { type: 'end', repositories: repositories.length, view_snapshots: viewSnapshots.length }
}

/** Those whose members are all among these repositories. */
async function viewSnapshotsWithin(
  reader: CatalogReader,
  repositories: readonly RepositoryRecord[],
): Promise<readonly ViewSnapshotRecord[]> {
  const ids = new Set(repositories.map(({ id }) => id))
  const all = await reader.viewSnapshots()
  return all
    .filter(({ revisions }) => revisions.every(({ repository }) => ids.has(repository)))
    .sort((a, b) => (a.view < b.view ? -1 : a.view > b.view ? 1 : byCreation(a, b)))
}

/** Of those that the catalog holds, configured or not. */
function chooseHeld(
  repositories: readonly RepositoryRecord[],
  ids: readonly string[],
): readonly RepositoryRecord[] {
  if (ids.length === 0) return repositories
  for (const id of ids) {
    if (repositories.some((repository) => matchesPattern(repository.id, id))) continue
    const near = nearest(
      id,
      repositories.map((repository) => repository.id),
    )
    throw new ChantalError('NOT_FOUND', `the catalog has no repository ${JSON.stringify(id)}`, {
      hint: near ? `Did you mean "${near}"?` : 'See `chantal repo list`.',
      details: { repository: id },
    })
  }
  return repositories.filter(({ id }) => ids.some((wanted) => matchesPattern(id, wanted)))
}
