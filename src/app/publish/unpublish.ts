import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { AppContext, UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'
import { sourcesOf } from './publish-result.ts'
import { pathOf } from './published-path.ts'
import { nothingPublished } from './roll-back.ts'

/**
 * Takes a publication away from clients, with all its generations. The packages stay in the pool. One that only the disk has, since
 * another catalog published it, is taken away by its path.
 * @param input.target a published path, or the source that is published there and nowhere else
 * @throws ChantalError `NOT_FOUND`; `USAGE_INVALID` where several paths show the source
 */
export const unpublish: UseCase<
  { readonly target: string; readonly dryRun: boolean },
  { readonly path: string; readonly generations: number; readonly removed: boolean }
> = async (context, input, caller) => {
  const { catalog, publications } = context
  const path = await findPath(context, input.target)
  await using lease = await catalog.acquire({
    resource: `publication:${path}`,
    mode: 'exclusive',
    purpose: `unpublish ${path}`,
    waitMs: 60_000,
    signal: caller,
  })
  const isKnown = await catalog.read(async (reader) => (await reader.publication(path)) !== null)
  const { length: generations } = isKnown
    ? await catalog.read((reader) => reader.generations(path))
    : await publications.generations(path)
  if (input.dryRun) return { path, generations, removed: false }
  lease.signal.throwIfAborted()
  await publications.remove(path)
  await catalog.write((writer) => writer.removePublication(path))
  return { path, generations, removed: true }
}

async function findPath(
  { catalog, publications, settings }: AppContext,
  target: string,
): Promise<RelativePath> {
  return catalog.read(async (reader) => {
    if (target.includes('/')) {
      const path = parseRelativePath(target)
      if ((await reader.publication(path)) || (await publications.list()).includes(path)) return path
      throw nothingPublished(target)
    }
    const source = await resolveSource(reader, settings, target)
    const shown = (await reader.publications())
      .filter(({ current }) => current && sourcesOf(current).includes(source.label))
      .map(({ path }) => path)
    const [only, ...others] = shown
    if (only && others.length === 0) return only
    if (only) throw severalPaths(source.label, shown.sort())
    // Its own path may show another snapshot by its name, which is not what was asked for; or nothing yet, since publishing was interrupted.
    const own = pathOf(source, null)
    const publication = await reader.publication(own)
    if (publication && publication.current === null) return own
    throw new ChantalError('NOT_FOUND', `${source.label} is not published`, {
      hint: 'See `chantal publish list`.',
      details: { source: source.label, path: own },
    })
  })
}

function severalPaths(label: string, paths: readonly RelativePath[]): ChantalError {
  return new ChantalError('USAGE_INVALID', `${label} is published at ${paths.join(' and ')}`, {
    hint: 'Say which path: `chantal publish unpublish PATH`.',
    details: { source: label, paths },
  })
}
