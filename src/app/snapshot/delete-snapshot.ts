import { ChantalError } from '../../core/errors.ts'
import { configuredOwner } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { noSuchSnapshot, parseSnapshotSource } from '../source.ts'
import { packagesIn } from './list-snapshots.ts'
import { findSnapshots, removeSnapshot } from './snapshots.ts'

/**
 * Removes a snapshot's name, also where its repository or view is not configured any more. What only it held is freed by the next garbage
 * collection.
 * @throws ChantalError `NOT_FOUND`; `USAGE_INVALID` while it is pinned, or published under its own name
 */
export const deleteSnapshot: UseCase<
  { readonly source: string; readonly dryRun: boolean },
  { readonly source: string; readonly packages: number; readonly deleted: boolean }
> = async ({ catalog, settings }, input) => {
  const { owner, name } = parseSnapshotSource(input.source)
  return catalog.write(async (writer) => {
    const source = `${owner}@${name}`
    const snapshot = (await findSnapshots(writer)).find((known) => known.source === source)
    if (!snapshot) {
      configuredOwner(settings, owner)
      throw noSuchSnapshot(owner, name)
    }
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
