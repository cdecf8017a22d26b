/** Which snapshots to keep. A rule that is `null` keeps nothing; every snapshot that no rule keeps may go. */
export interface RetentionPolicy {
  readonly keepLast: number | null
  /** Days, ISO weeks and months that hold a snapshot count; others are passed over. */
  readonly keepDaily: number | null
  readonly keepWeekly: number | null
  readonly keepMonthly: number | null
  /** Milliseconds before the newest snapshot. */
  readonly keepWithin: number | null
}

export type RetentionRule = 'keep_last' | 'keep_daily' | 'keep_weekly' | 'keep_monthly' | 'keep_within'

/**
 * The rules that keep each snapshot, in the order of their type; none where it may go. They count as restic's do, each for itself and
 * all in UTC: of each of the newest n days, ISO weeks or months that hold a snapshot the newest one is kept. `keepWithin` counts back
 * from the newest snapshot and not from now, so that what nobody adds to any more keeps its last ones; exactly so long ago is within.
 * @param snapshots of one repository or view, in any order. Of two of the same moment the later in the list is the newer
 * @see restic, “Removing snapshots according to a policy”
 */
export function applyRetention<Snapshot extends { readonly createdAt: Date }>(
  policy: RetentionPolicy,
  snapshots: readonly Snapshot[],
): ReadonlyMap<Snapshot, readonly RetentionRule[]> {
  const newestFirst = snapshots.toReversed().sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  const kept = new Map<Snapshot, RetentionRule[]>(snapshots.map((snapshot) => [snapshot, []]))
  const keep = (rule: RetentionRule, wanted: readonly Snapshot[]) => {
    for (const snapshot of wanted) kept.get(snapshot)?.push(rule)
  }
  keep('keep_last', newestFirst.slice(0, policy.keepLast ?? 0))
  keep('keep_daily', newestOfEach(newestFirst, dayOf, policy.keepDaily ?? 0))
  keep('keep_weekly', newestOfEach(newestFirst, weekOf, policy.keepWeekly ?? 0))
  keep('keep_monthly', newestOfEach(newestFirst, monthOf, policy.keepMonthly ?? 0))
  const [newest] = newestFirst
  if (newest && policy.keepWithin !== null) {
    const since = newest.createdAt.getTime() - policy.keepWithin
    keep(
      'keep_within',
      newestFirst.filter(({ createdAt }) => createdAt.getTime() >= since),
    )
  }
  return kept
}

function newestOfEach<Snapshot extends { readonly createdAt: Date }>(
  newestFirst: readonly Snapshot[],
  periodOf: (time: Date) => number,
  count: number,
): readonly Snapshot[] {
  const newest: Snapshot[] = []
  let last: number | null = null
  for (const snapshot of newestFirst) {
    if (newest.length === count) break
    const period = periodOf(snapshot.createdAt)
    if (period !== last) newest.push(snapshot)
    last = period
  }
  return newest
}

const dayMs = 86_400_000

function dayOf(time: Date): number {
  return Math.floor(time.getTime() / dayMs)
}

/** The first of January 1970 was a Thursday; weeks begin on Monday. */
function weekOf(time: Date): number {
  return Math.floor((dayOf(time) + 3) / 7)
}

function monthOf(time: Date): number {
  return time.getUTCFullYear() * 12 + time.getUTCMonth()
}
