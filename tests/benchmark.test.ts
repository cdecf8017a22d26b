import { describe, expect, it } from 'vitest'
import { rpmGoals } from '../bench/rpm/goals.ts'
import { titles } from '../bench/rpm/measures.ts'
import { judge } from '../bench/session/judge.ts'
import { reportText, summarize } from '../bench/session/report.ts'
import type { Round } from '../bench/session/round.ts'
import { spreadOf } from '../bench/session/spread.ts'

function roundOf(walls: Readonly<Record<string, number>>, unchangedRequests = 1): Round {
  const samples = Object.entries(walls).map(([name, wallS]) => [name, { wallS, cpuS: 1, peakRssMiB: 100 }])
  return { samples: Object.fromEntries(samples), unchangedRequests }
}

describe('the middle of some figures', () => {
  it.each([
    [[], null],
    [[3], { median: 3, min: 3, max: 3 }],
    [[10, 1, 2], { median: 2, min: 1, max: 10 }],
    [[4, 1, 2, 10], { median: 3, min: 1, max: 10 }],
  ])('of %j is %j', (figures, spread) => expect(spreadOf(figures)).toEqual(spread))
})

describe("the benchmark's goals", () => {
  const slowMoment = roundOf({ wgetFirst: 20, syncFirst: 22, syncUnchanged: 0.2 }, 3)
  const others = [
    roundOf({ wgetFirst: 10, syncFirst: 11, syncUnchanged: 0.1 }),
    roundOf({ wgetFirst: 10, syncFirst: 15, syncUnchanged: 0.3 }),
  ]
  const goals = judge(rpmGoals, [slowMoment, ...others])

  it('take ratios within a round, so that a slow moment of the machine counts for both', () => {
    const [first] = goals

    expect(first).toMatchObject({ title: 'first sync against wget x4', isReached: true })
    expect(first?.spread).toEqual({ median: 1.1, min: 1.1, max: 1.5 })
  })

  it('are judged by the median, and a bound to stay below is not reached by meeting it', () => {
    expect(goals.find(({ title }) => title === 'unchanged sync')).toMatchObject({ isReached: false })
    expect(goals.find(({ title }) => title === 'unchanged sync, requests')).toMatchObject({ isReached: true })
  })

  it('are left out where nothing was measured for them', () => {
    expect(goals.map(({ title }) => title)).not.toContain('first sync faster than reposync')
  })

  it('stand below the figures in what is printed', () => {
    const text = reportText(summarize(titles, others), goals)

    expect(text).toMatch(/^\| wget x4, the same URLs +\| 10\.00 +\| 10\.00–10\.00 /m)
    expect(text).toMatch(/^\| unchanged sync +\| below 0\.2 s +\| 0\.20 s +\| 0\.10–0\.30 +\| NO /m)
    expect(text).not.toContain('dnf reposync, first')
  })
})
