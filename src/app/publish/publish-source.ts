import { ChantalError } from '../../core/errors.ts'
import type { UseCase } from '../context.ts'
import { resolveSource } from '../source.ts'
import { findPublished, publishContent } from './publish-content.ts'
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
 * @throws ChantalError `NOT_FOUND`, `PATH_HELD`, `LEASE_HELD`, `BLOB_MISSING`, `SIGNING_FAILED`, `DISK_FULL`, `NOT_WRITABLE`
 */
export const publishSource: UseCase<PublishSourceInput, PublishResult> = async (context, input, caller) => {
  const startedAt = context.now()
  const { catalog, settings } = context
  const resolve = () => catalog.read((reader) => resolveSource(reader, settings, input.source))
  const path = pathOf(await resolve(), input.as)
  await using lease = await catalog.acquire({
    resource: `publication:${path}`,
    mode: 'exclusive',
    purpose: `publish ${input.source}`,
    waitMs: 60_000,
    signal: caller,
  })
  await reconcilePublication(context, path)
  const known = await catalog.read((reader) => reader.publication(path))
  if (known?.heldSince) throw pathHeld(path, known.heldSince)
  // Resolved again: whoever held the path until now may have published a newer revision than was latest when we came.
  const wanted = { path, content: await resolve(), fresh: input.force }
  const existing = input.force ? null : await findPublished(context, wanted)
  return resultOf(context, existing ?? (await publishContent(context, wanted, lease.signal)), startedAt)
}

function pathHeld(path: string, since: Date): ChantalError {
  return new ChantalError('PATH_HELD', `${path} was rolled back and is held since ${since.toISOString()}`, {
    hint: `Run \`chantal publish release ${path}\` to publish to it again.`,
    details: { path, held_since: since.toISOString() },
  })
}
