import { ChantalError, isChantalError } from '../../core/errors.ts'
import { chooseRepositories, type RepositorySelection } from '../configured.ts'
import type { UseCase } from '../context.ts'
import type { PublishResult } from '../publish/publish-result.ts'
import { publishSource } from '../publish/publish-source.ts'
import { syncRepository } from './sync-repository.ts'
import { type ErrorReport, reportError, type SyncResult } from './sync-result.ts'

export interface SyncRepositoriesInput extends RepositorySelection {
  readonly force: boolean
  readonly dryRun: boolean
  /** Publishes each repository that is in order afterwards. */
  readonly publish: boolean
  /** Repositories at once. */
  readonly workers: number
}

export interface SyncRepositoriesOutput {
  /** In the configuration's order. */
  readonly repositories: readonly SyncResult[]
  readonly published: readonly PublishResult[]
  /** Repositories that were synced, and could not be published. */
  readonly unpublished: readonly PublishFailure[]
}

export interface PublishFailure {
  readonly id: string
  readonly error: ErrorReport
  readonly cause: ChantalError
}

/** Syncs several repositories side by side. One that fails does not keep the others from it. @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export const syncRepositories: UseCase<SyncRepositoriesInput, SyncRepositoriesOutput> = async (
  context,
  input,
  signal,
) => {
  // A hosted repository has nothing to sync from: whoever names one is told so, and of many it is not meant.
  const chosen = chooseRepositories(context.settings, input).filter(
    ({ id, mode }) => mode !== 'hosted' || input.ids.includes(id),
  )
  const results = new Map<string, SyncResult>()
  const published = new Map<string, PublishResult>()
  const unpublished = new Map<string, PublishFailure>()
  const queue = chosen.values()
  const worker = async () => {
    for (const settings of queue) {
      signal.throwIfAborted()
      const { id } = settings
      const terms = { settings, force: input.force, dryRun: input.dryRun }
      const result = await syncRepository(context, terms, signal)
      results.set(id, result)
      if (!input.publish || input.dryRun || result.error) continue
      try {
        published.set(id, await publishSource(context, { source: id, as: null, force: false }, signal))
      } catch (error) {
        if (!isChantalError(error) || signal.aborted) throw error
        unpublished.set(id, { id, error: reportError(error), cause: error })
      }
    }
  }
  // Nobody is left at work when this ends, however it ends: what they use is closed then.
  const workers = Array.from({ length: Math.min(input.workers, chosen.length) }, worker)
  for (const outcome of await Promise.allSettled(workers)) {
    if (outcome.status === 'rejected') throw outcome.reason
  }
  const inOrder = <T>(map: ReadonlyMap<string, T>) => chosen.flatMap(({ id }) => map.get(id) ?? [])
  return { repositories: inOrder(results), published: inOrder(published), unpublished: inOrder(unpublished) }
}

/**
 * What a run over several repositories ends with: `null` where all went well, the error itself where they failed alike,
 * `SEVERAL_FAILED` where they failed for different reasons.
 */
export function overallError({
  repositories,
  unpublished,
}: Pick<SyncRepositoriesOutput, 'repositories' | 'unpublished'>): ChantalError | null {
  const failed = [...repositories, ...unpublished].flatMap(({ id, cause }) => (cause ? [{ id, cause }] : []))
  const [first] = failed
  if (!first) return null
  if (repositories.length === 1) return first.cause
  const summary = `${failed.length} of ${repositories.length} repositories failed`
  const { code, hint, traits } = first.cause
  if (failed.every(({ cause }) => cause.traits.exit === traits.exit)) {
    const ids = failed.map(({ id }) => id)
    return new ChantalError(code, `${summary}: ${ids.join(', ')}`, {
      cause: first.cause,
      ...(hint === undefined ? {} : { hint }),
      details: { failed: ids },
    })
  }
  return new ChantalError('SEVERAL_FAILED', `${summary}, for different reasons`, {
    hint: 'See the error of each repository, or `chantal repo history`.',
    details: { failed: failed.map(({ id, cause }) => `${id}: ${cause.code}`) },
  })
}
