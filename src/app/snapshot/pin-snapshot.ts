import { configuredOwner } from '../configured.ts'
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
  const parsed = parseSnapshotSource(source)
  const owner = configuredOwner(settings, parsed.owner)
  return catalog.write(async (writer) => {
    if (owner.kind === 'view') await writer.pinViewSnapshot(owner.settings.name, parsed.name, isPinned)
    else await writer.pinSnapshot(owner.settings.id, parsed.name, isPinned)
    return viewSnapshot(writer, owner, parsed.name)
  })
}
