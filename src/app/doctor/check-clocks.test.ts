import { describe, expect, it } from 'vitest'
import { checkClocks } from './check-clocks.ts'
import type { FeedAnswer } from './check-feeds.ts'
import { inShort } from './doctor.test-support.ts'

describe('clocks', () => {
  const here = new Date('2026-06-01T12:00:00Z')
  /** @param minutes by which each upstream's clock is ahead of ours; `null` does not tell */
  const compared = (...minutes: readonly (number | null)[]) =>
    checkClocks(
      minutes.map(
        (ahead, index): FeedAnswer => ({
          receivedAt: here,
          probe: {
            url: '',
            host: `host${index}`,
            status: 200,
            date: ahead === null ? null : new Date(here.getTime() + ahead * 60_000),
          },
        }),
      ),
    )

  it.each([
    [[], []],
    [[null], []],
    [[4, -4, 0], []],
    [[-30, -31, 0], ['warning clock UPSTREAM_STALE']],
    [[6000, 6001, -6000], ['warning clock UPSTREAM_STALE']],
    [[0, 0, 90], ['notice host2 null']],
    [
      [90, -90],
      ['notice host0 null', 'notice host1 null'],
    ],
  ])('that differ by %j minutes come to %j', async (minutes, expected) => {
    expect(inShort((await compared(...minutes)).findings)).toEqual(expected)
  })
})
