import type { RepositorySettings } from '../../config/settings.ts'
import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { UpstreamProbe } from '../../download/downloader.ts'
import { type Examined, type Finding, problem } from './finding.ts'
import type { DoctorParts } from './parts.ts'

/** An answer of an upstream, and what time it was here when it came. */
export interface FeedAnswer {
  readonly probe: UpstreamProbe
  readonly receivedAt: Date
}

/** Whether the upstream of every enabled repository answers. All are asked at once. @param timeoutMs for each */
export async function checkFeeds(
  parts: Pick<DoctorParts, 'settings' | 'probe' | 'now'>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Examined & { readonly answers: readonly FeedAnswer[] }> {
  const asked = parts.settings.repositories.filter(
    ({ enabled, feed, problems }) => enabled && feed !== null && problems.length === 0,
  )
  const outcomes = await Promise.all(asked.map((repository) => ask(parts, repository, timeoutMs, signal)))
  const answers = outcomes.filter((outcome) => 'probe' in outcome)
  return {
    summary: `${answers.length} of ${asked.length} answer`,
    findings: outcomes.filter((outcome) => 'severity' in outcome),
    answers,
  }
}

async function ask(
  { probe, now }: Pick<DoctorParts, 'probe' | 'now'>,
  repository: RepositorySettings,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<FeedAnswer | Finding> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const answer = await probe(repository, AbortSignal.any([signal, timeout]))
    if (answer) return { probe: answer, receivedAt: now() }
    throw new Error(`${repository.id} has a feed and no upstream`)
  } catch (error) {
    signal.throwIfAborted()
    const failure = timeout.aborted ? tooLate(timeoutMs) : error
    if (!isChantalError(failure)) throw failure
    return problem(repository.id, failure.code, failure.message, failure.hint ?? null)
  }
}

function tooLate(timeoutMs: number): ChantalError {
  return new ChantalError('UPSTREAM_UNREACHABLE', `no answer within ${timeoutMs / 1000} s`, {
    hint: "Look at the network, the proxy and the feed's URL.",
  })
}
