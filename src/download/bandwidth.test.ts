import { describe, expect, it } from 'vitest'
import {
  accessTo,
  collect,
  promiseOf,
  startDownloadBench,
  wantedFile,
} from '../../tests/upstream/downloading.ts'
import { startUpstream } from '../../tests/upstream/upstream.ts'
import { combineThrottles, TokenBucket } from './bandwidth.ts'

const never = new AbortController().signal

describe('a token bucket', () => {
  it('lets a second’s worth pass at once, then asks to wait for what is missing', () => {
    const bucket = new TokenBucket(1000, () => 0)

    expect([bucket.take(600), bucket.take(400), bucket.take(500), bucket.take(1500)]).toEqual([
      0, 0, 500, 2000,
    ])
  })

  it('fills while time passes, up to a second’s worth', () => {
    let now = 0
    const bucket = new TokenBucket(1000, () => now)
    bucket.take(1500)
    now = 1000

    const afterOneSecond = bucket.take(500)
    now = 3_600_000
    const afterAnHour = bucket.take(1500)

    expect([afterOneSecond, afterAnHour]).toEqual([0, 500])
  })

  it('counts bytes against every limit, and the longest wait holds', () => {
    const both = combineThrottles([new TokenBucket(1000, () => 0), null, new TokenBucket(100, () => 0)])

    expect(both?.take(1000)).toBe(9000)
    expect(combineThrottles([null, null])).toBeNull()
  })
})

describe('a bandwidth limit', () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, n) => [`file-${n}`, `${n} `.padEnd(5000, 'x')]),
  )
  const totalBytes = 100_000

  it.each([
    ['of the downloader', 10_000, null],
    ['of the repository', null, 10_000],
    ['of both, the lower', 10_000, 50_000],
  ])('%s makes as much time pass as the bytes take', async (_, overall, own) => {
    await using upstream = await startUpstream({ files })
    let now = 0
    const bench = await startDownloadBench({
      bandwidth: overall,
      concurrency: 1,
      now: () => now,
      wait: async (ms) => {
        now += ms
      },
    })
    const client = await bench.downloader.open(accessTo(upstream.url, { limits: { bandwidth: own } }), never)

    const wanted = Object.entries(files).map(([name, content]) => wantedFile(name, promiseOf(content)))
    const outcomes = await collect(client.fetchAll(wanted, never))

    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    // The first second's worth is free.
    expect(now).toBe(((totalBytes - 10_000) / 10_000) * 1000)
    await bench[Symbol.asyncDispose]()
  })
})
