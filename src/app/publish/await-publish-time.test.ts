import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openAptSite } from '../../../tests/support/apt-site.ts'
import { aptDates, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite } from '../../../tests/support/site.ts'

const start = aptDates.v1.getTime() + 24 * 60 * 60 * 1000

/** A clock that only waiting moves, and what was waited for. */
function openClock() {
  let time = start
  const waited: number[] = []
  return {
    waited,
    now: () => new Date(time),
    wait: async (ms: number) => {
      waited.push(ms)
      time += ms
    },
    set: (to: number) => {
      time = to
    },
  }
}

async function openApt() {
  const upstream = await startAptUpstream()
  const clock = openClock()
  const site = await openAptSite(upstream.url, { clock })
  await site.sync('filtered')
  const releaseDate = async () => {
    const file = site.published('repositories/filtered/latest/dists/stable/Release')
    const text = await readFile(file, 'utf8')
    return Date.parse(/^Date: (.*)$/m.exec(text)?.[1] ?? '')
  }
  return { upstream, site, clock, releaseDate }
}

describe('publications of one path in quick succession', () => {
  it('wait until apt takes their time', async () => {
    const { upstream, site, clock, releaseDate } = await openApt()
    await using _site = site
    await using _upstream = upstream

    for (let count = 0; count < 9; count++) {
      await site.publish('filtered', { force: true })
      // apt takes ten seconds; its clock and ours may differ by half of that.
      expect((await releaseDate()) - clock.now().getTime()).toBeLessThanOrEqual(5000)
    }

    expect(clock.waited).toEqual([1000, 1000, 1000])
    expect(await releaseDate()).toBe(start + 8000)
    expect(site.warnings('PUBLISHED_AHEAD')).toEqual([])
  })

  it('wait for nobody where clients do not look', async () => {
    await using upstream = await startDemoUpstream()
    const clock = openClock()
    const repositories = [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }]
    await using site = await openSite({ repositories, now: clock.now, wait: clock.wait })
    await site.sync('demo')

    for (let count = 0; count < 9; count++) await site.publish('demo', { force: true })

    expect(clock.waited).toEqual([])
  })
})

it('warns, and does not wait, after a clock that was hours ahead', async () => {
  const { upstream, site, clock, releaseDate } = await openApt()
  await using _site = site
  await using _upstream = upstream
  clock.set(start + 3 * 60 * 60 * 1000)
  await site.publish('filtered')
  clock.set(start)

  await site.publish('filtered', { force: true })

  expect(clock.waited).toEqual([])
  expect(await releaseDate()).toBe(start + 3 * 60 * 60 * 1000 + 1000)
  expect(site.warnings('PUBLISHED_AHEAD')).toEqual([
    expect.stringContaining('repositories/filtered/latest has the time 2'),
  ])
})
