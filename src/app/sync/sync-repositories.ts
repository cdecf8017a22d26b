import { ChantalError } from '../../core/errors.ts'
import { chooseRepositories, type RepositorySelection } from '../configured.ts'
import type { UseCase } from '../context.ts'
import type { PublishResult } from '../publish/publish-result.ts'
import { publishSource } from '../publish/publish-source.ts'
import { syncRepository } from './sync-repository.ts'
import type { SyncResult } from './sync-result.ts'

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
}

/** Syncs several repositories side by side. One that fails does not keep the others from it. @throws ChantalError `NOT_FOUND`, `USAGE_INVALID` */
export const syncRepositories: UseCase<SyncRepositoriesInput, SyncRepositoriesOutput> = async (
  context,
  input,
  signal,
) => {
  const chosen = chooseRepositories(context.settings, input)
  const results = new Map<string, SyncResult>()
  const published = new Map<string, PublishResult>()
  const queue = chosen.values()
  const worker = async () => {
    for (const settings of queue) {
      signal.throwIfAborted()
      const result = await syncRepository(
        context,
        { settings, force: input.force, dryRun: input.dryRun },
        signal,
      )
      results.set(settings.id, result)
      if (!input.publish || input.dryRun || result.error) continue
      published.set(
        settings.id,
        await publishSource(context, { source: settings.id, as: null, force: false }, signal),
      )
    }
  }
  await Promise.all(Array.from({ length: Math.min(input.workers, chosen.length) }, worker))
  const inOrder = <T>(map: ReadonlyMap<string, T>) => chosen.flatMap(({ id }) => map.get(id) ?? [])
  return { repositories: inOrder(results), published: inOrder(published) }
}

/**
 * What a run over several repositories ends with: `null` where all went well, the error itself where they failed alike,
 * `SEVERAL_FAILED` where they failed for different reasons.
 */
export function overallError(results: readonly SyncResult[]): ChantalError | null {
  const failed = results.filter(({ cause }) => cause !== null)
  const [first] = failed
  if (!first?.cause) return null
  if (failed.length === 1 || failed.every(({ cause }) => cause?.traits.exit === first.cause?.traits.exit)) {
    if (results.length === 1) return first.cause
    return new ChantalError(
      first.cause.code,
      `${failed.length} of ${results.length} repositories failed: ${failed.map(({ id }) => id).join(', ')}`,
      {
        cause: first.cause,
        ...(first.cause.hint === undefined ? {} : { hint: first.cause.hint }),
        details: { failed: failed.map(({ id }) => id) },
      },
    )
  }
  return new ChantalError(
    'SEVERAL_FAILED',
    `${failed.length} of ${results.length} repositories failed, for different reasons`,
    {
      hint: 'See the error of each repository, or `chantal repo history`.',
      details: { failed: failed.map(({ id, cause }) => `${id}: ${cause?.code}`) },
    },
  )
}
