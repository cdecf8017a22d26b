import { ChantalError } from '../../core/errors.ts'
import { configuredRepository } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { parseSnapshotSource, resolveSource } from '../source.ts'

/**
 * Removes a snapshot's name. What only it held is freed by the next garbage collection.
 * @throws ChantalError `NOT_FOUND`; `USAGE_INVALID` while it is pinned, or published under its own name
 */
export const deleteSnapshot: UseCase<
  { readonly source: string; readonly dryRun: boolean },
  { readonly source: string; readonly packages: number; readonly deleted: boolean }
> = async ({ catalog, settings }, input) => {
  const { repository, name } = parseSnapshotSource(input.source)
  const { id } = configuredRepository(settings, repository)
  return catalog.write(async (writer) => {
    const { label, revision } = await resolveSource(writer, settings, input.source)
    if ((await writer.snapshot(id, name))?.isPinned) {
      throw new ChantalError('USAGE_INVALID', `${label} is pinned`, {
        hint: `Run \`chantal snapshot unpin ${label}\` first.`,
        details: { source: label },
      })
    }
    const published = (await writer.publications()).find(({ current }) =>
      current?.sources.some(({ source }) => source === label),
    )
    if (published) {
      throw new ChantalError('USAGE_INVALID', `${label} is published at ${published.path}`, {
        hint: `Run \`chantal publish unpublish ${published.path}\` first.`,
        details: { source: label, path: published.path },
      })
    }
    if (!input.dryRun) await writer.deleteSnapshot(id, name)
    return { source: label, packages: revision.packageCount, deleted: !input.dryRun }
  })
}
