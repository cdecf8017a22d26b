import { describe, expect, it } from 'vitest'
import { ReadRate } from './read-rate.ts'

const signal = new AbortController().signal

/** A clock that stands still but for what is waited. */
function stoppedClock() {
  const waits: number[] = []
  let now = 1000
  return {
    waits,
    pass: (ms: number) => {
      now += ms
    },
    now: () => now,
    wait: async (ms: number) => {
      waits.push(ms)
      now += ms
    },
  }
}

describe('a rate of reading', () => {
  it('lets so many bytes a second pass, and no more', async () => {
    const clock = stoppedClock()
    const rate = new ReadRate(1000, clock)

    for (const bytes of [500, 500, 1000]) await rate.take(bytes, signal)

    expect(clock.waits).toEqual([500, 500, 1000])
  })

  it('does not wait for what took its time anyway', async () => {
    const clock = stoppedClock()
    const rate = new ReadRate(1000, clock)

    clock.pass(5000)
    await rate.take(4000, signal)
    await rate.take(1005, signal)

    expect(clock.waits).toEqual([])
  })

  it('never waits without a limit', async () => {
    const clock = stoppedClock()

    await new ReadRate(null, clock).take(Number.MAX_SAFE_INTEGER, signal)

    expect(clock.waits).toEqual([])
  })

  it('ends with its signal', async () => {
    const taking = new ReadRate(1, stoppedClock()).take(1, AbortSignal.abort(new Error('enough')))

    await expect(taking).rejects.toThrow('enough')
  })
})
