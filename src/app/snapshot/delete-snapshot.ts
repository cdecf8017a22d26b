import { ChantalError } from '../../core/errors.ts'
import type { UseCase } from '../context.ts'
import { packagesIn } from './list-snapshots.ts'
import { findNamed, removeSnapshot } from './snapshots.ts'

/**
 * Removes a snapshot's name, also where its repository or view is not configured any more. What only it held is freed by the next garbage
 * collection.
 * @throws ChantalError `NOT_FOUND`; `USAGE_INVALID` while it is pinned, or published under its own name
 */
export const deleteSnapshot: UseCase<
  { readonly source: string; readonly dryRun: boolean },
  { readonly source: string; readonly packages: number; readonly deleted: boolean }
> = async ({ catalog, settings }, input) => {
  return catalog.write(async (writer) => {
    const snapshot = await findNamed(writer, settings, input.source)
    const { source } = snapshot
    if (snapshot.isPinned) {
      throw new ChantalError('USAGE_INVALID', `${source} is pinned`, {
        hint: `Run \`chantal snapshot unpin ${source}\` first.`,
        details: { source },
      })
    }
    const published = (await writer.publications()).find(({ current }) =>
      current?.sources.some((shown) => shown.source === source),
    )
    if (published) {
      throw new ChantalError('USAGE_INVALID', `${source} is published at ${published.path}`, {
        hint: `Run \`chantal publish unpublish ${published.path}\` first.`,
        details: { source, path: published.path },
      })
    }
    if (!input.dryRun) await removeSnapshot(writer, snapshot)
    return { source, packages: packagesIn(snapshot.revisions), deleted: !input.dryRun }
  })
}
