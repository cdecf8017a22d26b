import { ChantalError } from '../../core/errors.ts'
import { configuredRepository } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { parseSnapshotSource } from '../source.ts'
import { type SnapshotView, viewSnapshot } from './list-snapshots.ts'

/**
 * Pins a snapshot, so that no retention policy removes it and it is not deleted; or lets it go again. Either may hold already.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export const pinSnapshot: UseCase<
  { readonly source: string; readonly isPinned: boolean },
  SnapshotView
> = async ({ catalog, settings }, { source, isPinned }) => {
  const { repository, name } = parseSnapshotSource(source)
  const { id } = configuredRepository(settings, repository)
  return catalog.write(async (writer) => {
    await writer.pinSnapshot(id, name, isPinned)
    const view = await viewSnapshot(writer, id, name)
    if (view) return view
    throw new ChantalError('NOT_FOUND', `${id} has no snapshot ${name}`, {
      hint: `See \`chantal snapshot list ${id}\`.`,
      details: { source },
    })
  })
}
