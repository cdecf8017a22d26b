import type { GenerationRecord } from '../../catalog/catalog-records.ts'
import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath } from '../../core/path.ts'
import type { UseCase } from '../context.ts'
import { contentOf, noSuchGeneration } from './generation-content.ts'
import { publishContent } from './publish-content.ts'
import { type PublishResult, resultOf } from './publish-result.ts'
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
  const published = await publishContent(context, { path, content, hold: true }, lease)
  return resultOf(context, published, startedAt)
}

function showsTheSame({ sources: a }: GenerationRecord, { sources: b }: GenerationRecord): boolean {
  const revisionOf = ({ repository, revision }: GenerationRecord['sources'][0]) => `${repository} ${revision}`
  return a.map(revisionOf).join() === b.map(revisionOf).join()
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
