import type { SnapshotRecord } from '../../catalog/catalog.ts'
import { ChantalError } from '../../core/errors.ts'
import type { UseCase } from '../context.ts'
import { parseSnapshotSource, resolveSource } from '../source.ts'

export interface CreateSnapshotInput {
  /** `ID@NAME`: freezes the repository's latest revision under that name. */
  readonly source: string
  readonly description: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Kept whatever the retention policy says. Default: no. */
  readonly isPinned?: boolean
}

/** @throws ChantalError `NOT_FOUND` where the repository was never synced, `ALREADY_EXISTS`, `USAGE_INVALID` */
export const createSnapshot: UseCase<CreateSnapshotInput, SnapshotRecord> = async (
  { catalog, settings, now, user, reached },
  input,
) => {
  const { repository, name } = parseSnapshotSource(input.source)
  const snapshot = await catalog.write(async (writer) => {
    const { revision } = await resolveSource(writer, settings, repository)
    return writer.createSnapshot({
      repository: revision.repository,
      revision: revision.number,
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

/**
 * Gives what a source shows another snapshot name in the same repository. A pointer: it copies nothing. A pin stays behind.
 * @throws ChantalError `NOT_FOUND`, `ALREADY_EXISTS`, `USAGE_INVALID`
 */
export const copySnapshot: UseCase<{ readonly from: string; readonly to: string }, SnapshotRecord> = async (
  { catalog, settings, now, user },
  { from, to },
) => {
  const target = parseSnapshotSource(to)
  return catalog.write(async (writer) => {
    const source = await resolveSource(writer, settings, from)
    if (source.repository !== target.repository) {
      throw new ChantalError('USAGE_INVALID', `${from} and ${to} are of different repositories`, {
        hint: `A snapshot is copied within its repository: ${source.repository}@${target.name}.`,
      })
    }
    const original =
      source.snapshot === null ? null : await writer.snapshot(source.revision.repository, source.snapshot)
    return writer.createSnapshot({
      repository: source.revision.repository,
      revision: source.revision.number,
      name: target.name,
      createdAt: now(),
      description: original?.description ?? null,
      labels: original?.labels ?? {},
      createdBy: user,
      isPinned: false,
    })
  })
}
