import { isDeepStrictEqual } from 'node:util'
import { isChantalError } from '../../core/errors.ts'
import type { ExportItemOf } from '../../transfer/export-schema.ts'
import { importInvalid } from '../../transfer/import-invalid.ts'
import { decodeViewSnapshot } from './decode-items.ts'
import { encodeViewSnapshot } from './encode-repository.ts'
import type { ImportContext } from './import-context.ts'

/** What became of a snapshot of a view. */
export interface ViewSnapshotImport {
  /** `NAME@SNAPSHOT` */
  readonly source: string
  /** `unchanged`: it is there already, and equal; `refused`: there is another of that name, or a member was refused. */
  readonly status: 'added' | 'unchanged' | 'refused'
}

/**
 * Adds a snapshot of a view once its members are there.
 * @param refused ids of repositories that the catalog has others of: their revisions are not the ones that were frozen
 * @throws ChantalError `IMPORT_INVALID` where it names a revision that is not kept
 */
export async function importViewSnapshot(
  { catalog }: Pick<ImportContext, 'catalog'>,
  { item, place }: { readonly item: ExportItemOf<'view_snapshot'>; readonly place: string },
  refused: ReadonlySet<string>,
): Promise<ViewSnapshotImport> {
  const { view, name, members } = item
  const source = `${view}@${name}`
  if (members.some(({ repository }) => refused.has(repository))) return { source, status: 'refused' }
  try {
    return await catalog.write(async (writer) => {
      const held = await writer.viewSnapshot(view, name)
      if (held) {
        const isEqual = isDeepStrictEqual(encodeViewSnapshot(held), item)
        return { source, status: isEqual ? ('unchanged' as const) : ('refused' as const) }
      }
      await writer.createViewSnapshot(decodeViewSnapshot(item))
      return { source, status: 'added' as const }
    })
  } catch (error) {
    if (!isChantalError(error, 'NOT_FOUND')) throw error
    throw importInvalid(place, `${source}: ${error.message}`, { cause: error })
  }
}
