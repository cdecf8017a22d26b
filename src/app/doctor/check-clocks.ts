import type { FeedAnswer } from './check-feeds.ts'
import { type Examined, type Finding, notice, warning } from './finding.ts'

/** Answers are on their way for seconds, and `Date` says whole ones. */
const toleratedMs = 5 * 60_000

/**
 * Compares our clock with those of upstreams, as their answers tell them. Where most of them agree that ours is wrong it is: signatures, `Valid-Until`
 * and certificates are judged by it.
 */
export async function checkClocks(answers: readonly FeedAnswer[]): Promise<Examined> {
  const byHost = new Map<string, number>()
  for (const { probe, receivedAt } of answers)
    if (probe.date) byHost.set(probe.host, receivedAt.getTime() - probe.date.getTime())
  const summary = byHost.size === 0 ? 'no upstream tells the time' : `compared with ${byHost.size} hosts`
  for (const direction of [1, -1]) {
    const agreed = [...byHost.values()].filter((offsetMs) => offsetMs * direction > toleratedMs)
    if (agreed.length * 2 <= byHost.size) continue
    const [offsetMs = 0] = agreed.sort((a, b) => a - b).slice(Math.floor(agreed.length / 2))
    return {
      summary,
      findings: [
        warning(
          'clock',
          'UPSTREAM_STALE',
          `the clock of this machine is ${amount(offsetMs)} ${offsetMs > 0 ? 'ahead of' : 'behind'} those of ${agreed.length} of ${byHost.size} upstreams`,
          'Let it be set by the network: `timedatectl set-ntp true`.',
        ),
      ],
    }
  }
  const findings: Finding[] = []
  for (const [host, offsetMs] of byHost) {
    if (Math.abs(offsetMs) > toleratedMs)
      findings.push(
        notice(
          host,
          `its clock is ${amount(offsetMs)} ${offsetMs > 0 ? 'behind' : 'ahead of'} ours; others agree with ours`,
        ),
      )
  }
  return { summary, findings }
}

function amount(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000)
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}
