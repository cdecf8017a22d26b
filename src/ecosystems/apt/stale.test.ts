import { describe, expect, it } from 'vitest'
import { aptModes, openAptSite } from '../../../tests/support/apt-site.ts'
import { aptDates, aptFiles, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { openSite } from '../../../tests/support/site.ts'

const day = 24 * 60 * 60 * 1000
const v1 = aptFiles('v1')

describe('a state of an APT upstream that is shown again', () => {
  it.each(aptModes)('is refused where it is older than the last: %s', async (mode) => {
    await using upstream = await startAptUpstream(aptFiles('v2'))
    await using site = await openAptSite(upstream.url, { now: new Date(aptDates.v2.getTime() + day) })
    await site.sync(mode)

    upstream.show(v1)
    const { cause, revision } = await site.trySync(mode)

    expect(cause).toMatchObject({ code: 'UPSTREAM_STALE' })
    expect(cause?.hint).toContain('apt.check_date: false')
    expect(revision).toBe(1)
  })

  it('is taken where that was asked for', async () => {
    await using upstream = await startAptUpstream(aptFiles('v2'))
    const options = { check_date: false }
    await using site = await openAptSite(upstream.url, {
      options,
      now: new Date(aptDates.v2.getTime() + day),
    })
    await site.sync('mirror')

    upstream.show(v1)

    expect(await site.sync('mirror')).toMatchObject({ status: 'synced', revision: 2 })
  })

  it('grows too old while nothing changes', async () => {
    let now = aptDates.v1
    await using upstream = await startAptUpstream()
    await using site = await openSite({
      repositories: [
        { id: 'updates', type: 'apt', feed: upstream.url.href, apt: { suites: ['stable-updates'] } },
      ],
      now: () => now,
    })
    await site.sync('updates')

    now = new Date(now.getTime() + day)
    const soon = await site.sync('updates')
    now = new Date(now.getTime() + 7 * day)
    const late = await site.trySync('updates')

    expect(soon.status).toBe('unchanged')
    expect(late.cause).toMatchObject({ code: 'UPSTREAM_STALE' })
  })
})
