import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyRetention, type RetentionPolicy, type RetentionRule } from './retention.ts'

const hour = 3_600_000
const day = 24 * hour
const nothing: RetentionPolicy = {
  keepLast: null,
  keepDaily: null,
  keepWeekly: null,
  keepMonthly: null,
  keepWithin: null,
}

interface Snapshot {
  readonly createdAt: Date
}

const at = (text: string): Snapshot => ({ createdAt: new Date(text) })

/** The times of those that stay. */
function keptBy(policy: Partial<RetentionPolicy>, ...times: readonly string[]): readonly string[] {
  const snapshots = times.map(at)
  const kept = applyRetention({ ...nothing, ...policy }, snapshots)
  return times.filter((_, index) => {
    const snapshot = snapshots[index]
    return snapshot && (kept.get(snapshot)?.length ?? 0) > 0
  })
}

describe('a retention policy', () => {
  it('without rules keeps nothing', () => {
    expect(keptBy({}, '2026-01-01', '2026-01-02')).toEqual([])
  })

  it('keeps the last ones, whatever order they come in', () => {
    expect(keptBy({ keepLast: 2 }, '2026-01-03', '2026-01-01', '2026-01-02')).toEqual([
      '2026-01-03',
      '2026-01-02',
    ])
  })

  it('keeps the newest of each day in UTC, and passes over days without any', () => {
    expect(
      keptBy(
        { keepDaily: 2 },
        '2026-01-01T12:00Z',
        '2026-01-05T00:00Z',
        '2026-01-05T23:59:59Z',
        '2026-03-31T23:30:00-02:00',
        '2026-04-01T02:00Z',
      ),
    ).toEqual(['2026-01-05T23:59:59Z', '2026-04-01T02:00Z'])
  })

  it('keeps the newest of each ISO week, which begins on Monday and spans the turn of a year', () => {
    expect(
      keptBy(
        { keepWeekly: 2 },
        '2025-12-28T23:00Z', // Sunday
        '2025-12-29T01:00Z', // Monday
        '2026-01-04T23:00Z', // Sunday of the same week
        '2026-01-05T00:00Z', // Monday
      ),
    ).toEqual(['2026-01-04T23:00Z', '2026-01-05T00:00Z'])
  })

  it('keeps the newest of each month', () => {
    expect(
      keptBy(
        { keepMonthly: 2 },
        '2025-01-31T10:00Z',
        '2025-12-01T10:00Z',
        '2025-12-31T10:00Z',
        '2026-01-01T10:00Z',
      ),
    ).toEqual(['2025-12-31T10:00Z', '2026-01-01T10:00Z'])
  })

  it('keeps what is within a time of the newest, however long ago that is', () => {
    expect(
      keptBy(
        { keepWithin: 2 * day },
        '2001-01-01T00:00Z',
        '2001-01-02T11:59Z',
        '2001-01-02T12:00Z',
        '2001-01-04T12:00Z',
      ),
    ).toEqual(['2001-01-02T12:00Z', '2001-01-04T12:00Z'])
  })

  it('counts each rule for itself, and names all that keep a snapshot', () => {
    const [old, newest] = [at('2025-12-31T10:00Z'), at('2026-01-01T10:00Z')]

    const kept = applyRetention({ ...nothing, keepLast: 1, keepDaily: 1, keepMonthly: 2, keepWithin: 0 }, [
      old,
      newest,
    ])

    expect(kept.get(newest)).toEqual(['keep_last', 'keep_daily', 'keep_monthly', 'keep_within'])
    expect(kept.get(old)).toEqual(['keep_monthly'])
  })

  it('takes the later in the list for the newer of two of one moment', () => {
    const [first, second] = [at('2026-01-01'), at('2026-01-01')]

    const kept = applyRetention({ ...nothing, keepLast: 1 }, [first, second])

    expect([kept.get(first), kept.get(second)]).toEqual([[], ['keep_last']])
  })
})

describe('any retention policy', () => {
  const count = fc.option(fc.integer({ min: 1, max: 20 }), { nil: null })
  const policies = fc.record({
    keepLast: count,
    keepDaily: count,
    keepWeekly: count,
    keepMonthly: count,
    keepWithin: fc.option(fc.integer({ min: 0, max: 400 * day }), { nil: null }),
  })
  const lists = fc
    .array(fc.integer({ min: 0, max: 800 * 24 }), { maxLength: 60 })
    .map((hours) => hours.map((n) => ({ createdAt: new Date(Date.UTC(2025, 0, 1) + n * hour) })))
  const kept = (policy: RetentionPolicy, snapshots: readonly Snapshot[]) =>
    new Set(
      [...applyRetention(policy, snapshots)].filter(([, rules]) => rules.length > 0).map(([one]) => one),
    )

  it('has an answer for every snapshot, and rules only that it has', () => {
    fc.assert(
      fc.property(policies, lists, (policy, snapshots) => {
        const answers = applyRetention(policy, snapshots)
        const given: readonly (readonly [RetentionRule, number | null])[] = [
          ['keep_last', policy.keepLast],
          ['keep_daily', policy.keepDaily],
          ['keep_weekly', policy.keepWeekly],
          ['keep_monthly', policy.keepMonthly],
          ['keep_within', policy.keepWithin],
        ]
        const absent = given.filter(([, value]) => value === null).map(([rule]) => rule)

        expect([...answers.keys()]).toEqual([...snapshots])
        expect([...answers.values()].flat().filter((rule) => absent.includes(rule))).toEqual([])
      }),
    )
  })

  it('with a rule keeps the newest snapshot by that rule', () => {
    fc.assert(
      fc.property(policies, lists, (policy, snapshots) => {
        const rules = Object.values(policy).filter((value) => value !== null).length
        const newest = Math.max(...snapshots.map(({ createdAt }) => createdAt.getTime()))
        const longest = [...applyRetention(policy, snapshots)]
          .filter(([{ createdAt }]) => createdAt.getTime() === newest)
          .map(([, by]) => by.length)

        if (snapshots.length > 0) expect(Math.max(...longest)).toBe(rules)
      }),
    )
  })

  it('keeps no fewer when a rule grows, and those that it kept before', () => {
    fc.assert(
      fc.property(policies, lists, fc.integer({ min: 1, max: 9 }), (policy, snapshots, more) => {
        const grown: RetentionPolicy = {
          keepLast: policy.keepLast && policy.keepLast + more,
          keepDaily: policy.keepDaily && policy.keepDaily + more,
          keepWeekly: policy.keepWeekly && policy.keepWeekly + more,
          keepMonthly: policy.keepMonthly && policy.keepMonthly + more,
          keepWithin: policy.keepWithin && policy.keepWithin + more * day,
        }

        expect([...kept(policy, snapshots)].filter((one) => !kept(grown, snapshots).has(one))).toEqual([])
      }),
    )
  })

  it('takes nothing more when it is applied again to what it kept', () => {
    fc.assert(
      fc.property(policies, lists, (policy, snapshots) => {
        const stays = kept(policy, snapshots)
        const left = snapshots.filter((one) => stays.has(one))

        expect(kept(policy, left).size).toBe(left.length)
      }),
    )
  })

  it('keeps as many as it counts, where there are so many', () => {
    const one = (snapshots: readonly Snapshot[], periodOf: (time: Date) => string) =>
      new Set(snapshots.map(({ createdAt }) => periodOf(createdAt))).size
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), lists, (n, snapshots) => {
        const sizes = [
          kept({ ...nothing, keepLast: n }, snapshots).size,
          kept({ ...nothing, keepDaily: n }, snapshots).size,
          kept({ ...nothing, keepMonthly: n }, snapshots).size,
        ]

        expect(sizes).toEqual([
          Math.min(n, snapshots.length),
          Math.min(
            n,
            one(snapshots, (time) => time.toISOString().slice(0, 10)),
          ),
          Math.min(
            n,
            one(snapshots, (time) => time.toISOString().slice(0, 7)),
          ),
        ])
      }),
    )
  })
})
