import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { AppContext, UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'
import { pathOf } from './published-path.ts'
import { nothingPublished } from './roll-back.ts'

/**
 * Takes a publication away from clients, with all its generations. The packages stay in the pool.
 * @param input.target a published path, or the source that is published there
 * @throws ChantalError `NOT_FOUND`
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
  const generations = await catalog.read((reader) => reader.generations(path))
  if (input.dryRun) return { path, generations: generations.length, removed: false }
  lease.signal.throwIfAborted()
  await publications.remove(path)
  await catalog.write((writer) => writer.removePublication(path))
  return { path, generations: generations.length, removed: true }
}

async function findPath({ catalog, settings }: AppContext, target: string): Promise<RelativePath> {
  return catalog.read(async (reader) => {
    if (target.includes('/')) {
      const path = parseRelativePath(target)
      if (await reader.publication(path)) return path
      throw nothingPublished(target)
    }
    const path = pathOf(await resolveSource(reader, settings, target), null)
    if (await reader.publication(path)) return path
    throw nothingPublished(path)
  })
}
