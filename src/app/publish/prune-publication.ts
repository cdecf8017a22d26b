import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import type { RelativePath } from '../../core/path.ts'
import type { GenerationName } from '../../publish/publications.ts'
import type { AppContext } from '../context.ts'
import { reconcilePublication } from './reconcile-publication.ts'

/**
 * Drops generations that are neither among the newest nor within the grace period, and tells the catalog. The caller holds the
 * publication's lease.
 * @returns the names dropped
 */
export async function prunePublication(
  context: AppContext,
  path: RelativePath,
): Promise<readonly GenerationName[]> {
  const { keepGenerations, graceMs } = context.settings.publish
  const { recorded, unknown } = await compareGenerations(context, path)
  const terms = {
    keep: keepGenerations,
    uncounted: new Set([...repeatedIn(recorded), ...unknown]),
    graceMs,
    now: context.now(),
  }
  const dropped = await context.publications.prune(path, terms)
  await reconcilePublication(context, path)
  return dropped
}

/**
 * Those that the catalog has, and those that only the disk has, as after the catalog was imported: nobody can go back to them. One that
 * somebody makes is announced before it is finished, so the disk is looked at first.
 */
export async function compareGenerations(
  { catalog, publications }: Pick<AppContext, 'catalog' | 'publications'>,
  path: RelativePath,
): Promise<{
  readonly recorded: readonly GenerationRecord[]
  readonly unknown: ReadonlySet<GenerationName>
}> {
  const onDisk = await publications.generations(path)
  const recorded = await catalog.read((reader) => reader.generations(path))
  const known = new Set(recorded.map(({ generation }) => generation))
  const unknown = new Set(onDisk.map(({ name }) => name).filter((name) => !known.has(name)))
  return { recorded, unknown }
}

/** Those that the next one shows again, under a newer time: as steps of a way back they would take the place of others. */
function repeatedIn(generations: readonly GenerationRecord[]): ReadonlySet<GenerationName> {
  const newestFirst = generations.toSorted((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime())
  const repeated = newestFirst.filter(
    ({ fingerprint }, index) => newestFirst[index - 1]?.fingerprint === fingerprint,
  )
  return new Set(repeated.map(({ generation }) => generation))
}
