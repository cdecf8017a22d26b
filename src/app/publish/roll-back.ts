import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Revision } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { configuredRepository } from '../configured.ts'
import type { AppContext, UseCase } from '../context.ts'
import { publishContent } from './publish-content.ts'
import { type PublishResult, resultOf } from './publish-result.ts'
import { kindOf, ownerOf } from './published-path.ts'
import type { Content } from './published-tree.ts'
import { reconcilePublication } from './reconcile-publication.ts'

export interface RollBackInput {
  readonly path: string
  /** A generation's name; `null` is the newest that shows something else than the current. */
  readonly generation: string | null
}

/**
 * Publishes again what an earlier generation showed, as a new generation with a newer time (clients discard what looks older than
 * what they have), and holds the path, so that tonight's cron job does not undo it.
 * @throws ChantalError `NOT_FOUND` where nothing is published there, or no such earlier generation is kept
 */
export const rollBack: UseCase<RollBackInput, PublishResult> = async (context, input, caller) => {
  const startedAt = context.now()
  const path = parseRelativePath(input.path)
  await using lease = await context.catalog.acquire({
    resource: `publication:${path}`,
    mode: 'exclusive',
    purpose: `roll back ${path}`,
    waitMs: 60_000,
    signal: caller,
  })
  await reconcilePublication(context, path)
  const { publication, generations } = await context.catalog.read(async (reader) => ({
    publication: await reader.publication(path),
    generations: await reader.generations(path),
  }))
  const current = publication?.current
  if (!current) throw nothingPublished(path)
  const earlier = [...generations]
    .filter(({ generation }) => generation !== current.generation)
    .sort((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime())
  // Some were made anew only for their time: going back to those would change nothing.
  const target =
    input.generation === null
      ? (earlier.find((record) => !showsTheSame(record, current)) ?? earlier[0])
      : earlier.find(({ generation }) => generation === input.generation)
  if (!target)
    throw noSuchGeneration(
      path,
      input.generation,
      earlier.map(({ generation }) => generation),
    )
  const content = await contentOf(context, target)
  const published = await publishContent(context, { path, content, hold: true }, lease.signal)
  return resultOf(context, published, startedAt)
}

function showsTheSame({ sources: a }: GenerationRecord, { sources: b }: GenerationRecord): boolean {
  const revisionOf = ({ repository, revision }: GenerationRecord['sources'][0]) => `${repository} ${revision}`
  return a.map(revisionOf).join() === b.map(revisionOf).join()
}

/** @throws ChantalError `NOT_FOUND` where what it showed is not kept or not configured any more */
async function contentOf(
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

/** Lets a path that was rolled back be published to again. @throws ChantalError `NOT_FOUND` */
export const releasePublication: UseCase<
  { readonly path: string },
  { readonly path: string; readonly wasHeld: boolean }
> = async ({ catalog }, input) => {
  const path = parseRelativePath(input.path)
  return catalog.write(async (writer) => {
    const publication = await writer.publication(path)
    if (!publication) throw nothingPublished(path)
    await writer.holdPublication(path, null)
    return { path, wasHeld: publication.heldSince !== null }
  })
}

export function nothingPublished(path: string): ChantalError {
  return new ChantalError('NOT_FOUND', `nothing is published at ${path}`, {
    hint: 'See `chantal publish list`.',
    details: { path },
  })
}

function noSuchGeneration(path: string, generation: string | null, kept: readonly string[]): ChantalError {
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
