import type { PublicationRecord } from '../../catalog/catalog-records.ts'
import type { Lease } from '../../catalog/lease.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { AppContext, UseCase } from '../context.ts'
import { type ResolvedSource, resolveSource } from '../source.ts'
import { contentOf } from './generation-content.ts'
import { findPublished, publishContent, renewHeld } from './publish-content.ts'
import { type PublishResult, resultOf } from './publish-result.ts'
import { pathOf } from './published-path.ts'
import { reconcilePublication } from './reconcile-publication.ts'

export interface PublishSourceInput {
  readonly source: string
  /** Publishes a snapshot under another snapshot name: a path that moves between snapshots. */
  readonly as: string | null
  /** Makes a generation even where nothing changed. */
  readonly force: boolean
}

/**
 * Publishes what the catalog has of a source. Where equal input is published there already, nothing is made.
 * @throws ChantalError `NOT_FOUND`, `PATH_HELD`, `LEASE_HELD`, `BLOB_MISSING`, `SIGNING_FAILED`, `DISK_FULL`, `NOT_WRITABLE`; `USAGE_INVALID`
 *   for a moment that has not come
 */
export const publishSource: UseCase<PublishSourceInput, PublishResult> = async (context, input, caller) => {
  const startedAt = context.now()
  const { catalog, settings } = context
  const resolve = () => catalog.read((reader) => resolveSource(reader, settings, input.source))
  const found = await resolve()
  assertPast(found, startedAt)
  const path = pathOf(found, input.as)
  await using lease = await catalog.acquire({
    resource: `publication:${path}`,
    mode: 'exclusive',
    purpose: `publish ${input.source}`,
    waitMs: 60_000,
    signal: caller,
  })
  await reconcilePublication(context, path)
  const known = await catalog.read((reader) => reader.publication(path))
  if (known?.heldSince) throw pathHeld(path, known.heldSince, await keepValid(context, known, lease))
  // Resolved again: whoever held the path until now may have published a newer revision than was latest when we came.
  const wanted = { path, content: await resolve(), fresh: input.force }
  const existing = input.force ? null : await findPublished(context, wanted)
  return resultOf(context, existing ?? (await publishContent(context, wanted, lease)), startedAt)
}

/** What is latest at a moment to come is not known: clients of its path would see it change. */
function assertPast({ at, label }: ResolvedSource, now: Date): void {
  if (at.kind !== 'time' || at.time <= now) return
  throw new ChantalError('USAGE_INVALID', `${label} has not come yet: it is ${now.toISOString()}`, {
    hint: 'Times are in UTC. What is latest now is published with `chantal publish repo` or `chantal publish view`.',
    details: { source: label },
  })
}

/**
 * Whoever goes on publishing at night, as before the rollback, keeps clients able to take what is held.
 * @returns whether it was made anew for its time
 */
async function keepValid(
  context: AppContext,
  { current }: PublicationRecord,
  lease: Lease,
): Promise<boolean> {
  if (!current) return false
  try {
    return await renewHeld(context, await contentOf(context, current), current, lease)
  } catch (error) {
    // What it shows is configured no more: it stays as it is.
    if (isChantalError(error, 'NOT_FOUND')) return false
    throw error
  }
}

function pathHeld(path: string, since: Date, wasRenewed: boolean): ChantalError {
  const renewed = wasRenewed ? '; what it shows was signed anew, so that clients go on taking it' : ''
  return new ChantalError(
    'PATH_HELD',
    `${path} was rolled back and is held since ${since.toISOString()}${renewed}`,
    {
      hint: `Run \`chantal publish release ${path}\` to publish to it again.`,
      details: { path, held_since: since.toISOString(), renewed: wasRenewed },
    },
  )
}
