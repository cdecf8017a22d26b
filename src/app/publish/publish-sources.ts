import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { UseCase } from '../context.ts'
import type { PublishResult } from './publish-result.ts'
import { type PublishSourceInput, publishSource } from './publish-source.ts'
import { warnAboutFailedSync } from './warn-about-failed-sync.ts'

export interface PublishSourcesOutput {
  readonly published: readonly PublishResult[]
  readonly unpublished: readonly { readonly source: string; readonly cause: ChantalError }[]
}

/** Publishes one source after another; one that cannot be published does not keep the others from it. @throws the reason of `signal` */
export const publishSources: UseCase<readonly PublishSourceInput[], PublishSourcesOutput> = async (
  context,
  inputs,
  signal,
) => {
  const published: PublishResult[] = []
  const unpublished: { source: string; cause: ChantalError }[] = []
  for (const input of inputs) {
    signal.throwIfAborted()
    try {
      await warnAboutFailedSync(context, { source: input.source }, signal)
      published.push(await publishSource(context, input, signal))
    } catch (error) {
      if (!isChantalError(error) || error.code === 'INTERRUPTED') throw error
      unpublished.push({ source: input.source, cause: error })
    }
  }
  return { published, unpublished }
}

/** What that ends with: `null`, the one error there was, or one for all that names what was published all the same. */
export function publishError({ published, unpublished }: PublishSourcesOutput): ChantalError | null {
  const [first] = unpublished
  if (!first) return null
  const total = published.length + unpublished.length
  if (total === 1) return first.cause
  const { code, hint, traits } = first.cause
  const areAlike = unpublished.every(({ cause }) => cause.traits.exit === traits.exit)
  return new ChantalError(
    areAlike ? code : 'SEVERAL_FAILED',
    `${unpublished.length} of ${total} sources could not be published: ${unpublished.map(({ source }) => source).join(', ')}`,
    {
      cause: first.cause,
      ...(areAlike && hint !== undefined ? { hint } : {}),
      details: {
        failed: unpublished.map(({ source, cause }) => `${source}: ${cause.code}`),
        published: published.map(({ path }) => path),
      },
    },
  )
}
