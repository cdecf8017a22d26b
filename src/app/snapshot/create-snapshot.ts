import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import { ChantalError } from '../../core/errors.ts'
import { configuredOwner } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { assertRecords } from '../publish/published-tree.ts'
import { failedSync } from '../publish/warn-about-failed-sync.ts'
import { parseSnapshotSource, type ResolvedSource, resolveSource } from '../source.ts'
import { findSnapshot, type Snapshot, saveSnapshot } from './snapshots.ts'

export interface CreateSnapshotInput {
  /** `ID@NAME`: freezes the repository's latest revision under that name; of a view the latest ones of all its members, at one moment. */
  readonly source: string
  readonly description: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Kept whatever the retention policy says. Default: no. */
  readonly isPinned?: boolean
  /** Of a view: freezes it although a member's last sync was partial or failed. Default: no. */
  readonly allowPartial?: boolean
}

/**
 * @throws ChantalError `NOT_FOUND` where the repository, or a member of the view, was never synced, `ALREADY_EXISTS`, `USAGE_INVALID`;
 *   `SYNC_INCOMPLETE` where a member's last sync was partial or failed
 */
export const createSnapshot: UseCase<CreateSnapshotInput, Snapshot> = async (
  { catalog, settings, now, user, reached },
  input,
) => {
  const { owner, name } = parseSnapshotSource(input.source)
  const snapshot = await catalog.write(async (writer) => {
    const latest = await resolveSource(writer, settings, owner)
    if (latest.kind === 'view') {
      if (!input.allowPartial) await assertWhole(writer, latest)
      assertRecords(latest)
    }
    return saveSnapshot(writer, {
      kind: latest.kind,
      owner: latest.owner,
      revisions: latest.revisions,
      name,
      createdAt: now(),
      description: input.description,
      labels: input.labels,
      createdBy: user,
      isPinned: input.isPinned ?? false,
    })
  })
  reached?.('snapshot created')
  return snapshot
}

/** A view is to be frozen as its upstreams are, all at one time. @throws ChantalError `SYNC_INCOMPLETE` */
async function assertWhole(reader: CatalogReader, { owner, revisions }: ResolvedSource): Promise<void> {
  const behind: string[] = []
  for (const { repository } of revisions) {
    const failed = await failedSync(reader, repository)
    if (failed) behind.push(`${repository} (${failed.status}, ${failed.finishedAt.toISOString()})`)
  }
  if (behind.length === 0) return
  throw new ChantalError(
    'SYNC_INCOMPLETE',
    `${owner}: the last sync of ${behind.join(', ')} did not get everything`,
    {
      hint: 'Sync again, or freeze the last good revisions with --allow-partial.',
      details: { view: owner, members: behind },
    },
  )
}

/**
 * Gives what a source shows another snapshot name, of the same repository or view. A pointer: it copies nothing. A pin stays behind.
 * @throws ChantalError `NOT_FOUND`, `ALREADY_EXISTS`, `USAGE_INVALID`
 */
export const copySnapshot: UseCase<{ readonly from: string; readonly to: string }, Snapshot> = async (
  { catalog, settings, now, user },
  { from, to },
) => {
  const target = parseSnapshotSource(to)
  return catalog.write(async (writer) => {
    const source = await resolveSource(writer, settings, from)
    const { kind, owner, revisions } = source
    if (owner !== target.owner) {
      throw new ChantalError('USAGE_INVALID', `${from} and ${to} are not of the same repository or view`, {
        hint: `A snapshot is copied within its ${kind}: ${owner}@${target.name}.`,
      })
    }
    if (kind === 'view') assertRecords(source)
    const original =
      source.snapshot === null
        ? null
        : await findSnapshot(writer, configuredOwner(settings, owner), source.snapshot)
    return saveSnapshot(writer, {
      kind,
      owner,
      revisions,
      name: target.name,
      createdAt: now(),
      description: original?.description ?? null,
      labels: original?.labels ?? {},
      createdBy: user,
      isPinned: false,
    })
  })
}
