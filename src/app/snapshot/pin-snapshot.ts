import type { UseCase } from '../context.ts'
import { type SnapshotView, viewSnapshot } from './list-snapshots.ts'
import { findNamed, keepSnapshot } from './snapshots.ts'

/**
 * Pins a snapshot, so that no retention policy removes it and it is not deleted; or lets it go again, also where its repository or view is
 * not configured any more. Either may hold already.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export const pinSnapshot: UseCase<
  { readonly source: string; readonly isPinned: boolean },
  SnapshotView
> = async ({ catalog, settings }, { source, isPinned }) =>
  catalog.write(async (writer) => {
    const snapshot = await findNamed(writer, settings, source)
    await keepSnapshot(writer, snapshot, isPinned)
    return viewSnapshot(writer, { ...snapshot, isPinned })
  })
