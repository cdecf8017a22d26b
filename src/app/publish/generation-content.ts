import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Revision } from '../../core/model.ts'
import { configuredRepository } from '../configured.ts'
import type { AppContext } from '../context.ts'
import { kindOf, ownerOf } from './published-path.ts'
import type { Content } from './published-tree.ts'

/** What a generation shows, to publish it again. @throws ChantalError `NOT_FOUND` where what it showed is not kept or not configured any more */
export async function contentOf(
  { catalog, settings }: AppContext,
  { path, generation, sources }: GenerationRecord,
): Promise<Content> {
  const [shown] = sources
  if (!shown) throw new Error(`generation ${generation} of ${path} shows no revision`)
  const revisions = await catalog.read(async (reader) => {
    const found: Revision[] = []
    for (const { repository, revision: number } of sources) {
      configuredRepository(settings, repository)
      const revision = await reader.revision(repository, number)
      if (!revision) throw noSuchGeneration(path, generation, [])
      found.push(revision)
    }
    return found
  })
  const [first, ...rest] = revisions
  if (!first) throw noSuchGeneration(path, generation, [])
  return { kind: kindOf(path), owner: ownerOf(path), label: shown.source, revisions: [first, ...rest] }
}

export function noSuchGeneration(
  path: string,
  generation: string | null,
  kept: readonly string[],
): ChantalError {
  const message =
    generation === null
      ? `no earlier generation of ${path} is kept`
      : `${path} has no earlier generation ${generation}`
  return new ChantalError('NOT_FOUND', message, {
    hint:
      kept.length > 0
        ? `Kept are: ${kept.join(', ')}.`
        : 'See `publish.keep_generations` in the configuration.',
    details: { path, generation, kept },
  })
}
