import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { UseCase } from '../context.ts'
import { parseSnapshotName, type ResolvedSource, resolveSource } from '../source.ts'
import { type PublishResult, resultOf } from './publish-result.ts'
import { findPublished, publishRevision } from './publish-revision.ts'
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
  const source = await resolve()
  const wanted = { path, label: source.label, revision: source.revision, fresh: input.force }
  const existing = input.force ? null : await findPublished(context, wanted)
  return resultOf(context, existing ?? (await publishRevision(context, wanted, lease.signal)), startedAt)
}

/** `repositories/<id>/latest`, `repositories/<id>/snapshots/<name>`, `repositories/<id>/at/<time>`. */
export function pathOf(source: ResolvedSource, as: string | null): RelativePath {
  const top = `repositories/${source.repository}`
  if (as !== null) {
    if (source.at.kind === 'latest') {
      throw new ChantalError(
        'USAGE_INVALID',
        '--as names where a snapshot is published, not a repository’s latest revision',
        {
          hint: `Make a snapshot first: \`chantal snapshot create ${source.repository}@NAME\`.`,
        },
      )
    }
    return parseRelativePath(`${top}/snapshots/${parseSnapshotName(as)}`)
  }
  if (source.at.kind === 'latest') return parseRelativePath(`${top}/latest`)
  if (source.at.kind === 'snapshot') return parseRelativePath(`${top}/snapshots/${source.at.name}`)
  return parseRelativePath(`${top}/at/${source.label.slice(source.repository.length + 1)}`)
}

function pathHeld(path: string, since: Date): ChantalError {
  return new ChantalError('PATH_HELD', `${path} was rolled back and is held since ${since.toISOString()}`, {
    hint: `Run \`chantal publish release ${path}\` to publish to it again.`,
    details: { path, held_since: since.toISOString() },
  })
}
