import type { AppContext } from '../context.ts'
import type { WantedPublication } from './publish-content.ts'
import type { PublishedTree } from './published-tree.ts'

/** More than publications in quick succession come to: a clock was wrong, and nobody waits for hours. */
const longestMs = 60_000

/**
 * A path's publish times rise by a second at least, also where publications follow one another more quickly, or a clock was set back. Where
 * clients refuse a tree from the future, it is not shown to them before they take it; half of what they grant is for clocks that differ.
 * Where that would be long, it is shown, and a warning says until when it is refused.
 * @throws the reason of `signal`
 */
export async function awaitPublishTime(
  { now, wait, reporter }: Pick<AppContext, 'now' | 'wait' | 'reporter'>,
  { path, content }: Pick<WantedPublication, 'path' | 'content'>,
  { isVerbatim, ecosystem }: Pick<PublishedTree, 'isVerbatim' | 'ecosystem'>,
  publishedAt: Date,
  signal: AbortSignal,
): Promise<void> {
  const { futureToleranceMs } = ecosystem
  if (isVerbatim || futureToleranceMs === undefined) return
  const earlyMs = publishedAt.getTime() - now().getTime() - futureToleranceMs / 2
  if (earlyMs <= 0) return
  if (earlyMs <= longestMs) return wait(earlyMs, signal)
  reporter.report({
    type: 'warning',
    code: 'PUBLISHED_AHEAD',
    message: `${path} has the time ${publishedAt.toISOString()}, ahead of this machine's clock, since it was published with a later one before: clients refuse it until their clocks are there`,
    repository: content.owner,
  })
}
