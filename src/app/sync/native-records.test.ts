import { describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'

const repository = (upstream: Upstream, mode: string) => ({
  id: 'demo',
  type: 'rpm',
  feed: upstream.url,
  mode,
})

/** How many packages of the latest revision have their part of primary.xml, and how many have none. */
async function countRecords({ context: { catalog } }: Site) {
  return catalog.read(async (reader) => {
    const latest = (await reader.repositories())[0]?.latest
    const counts = { present: 0, absent: 0 }
    if (!latest) return counts
    for await (const { bytes } of reader.records(latest, 'primary')) counts[bytes ? 'present' : 'absent'] += 1
    return counts
  })
}

describe('native records', () => {
  it('are not kept of a verbatim mirror', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [repository(upstream, 'mirror')] })

    await site.sync('demo')

    expect(await countRecords(site)).toEqual({ present: 0, absent: 6 })
  })

  it('come for every package once a mirror is filtered, and no file is fetched again', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [repository(upstream, 'mirror')] })
    await site.sync('demo')
    await site.reopen({ repositories: [repository(upstream, 'filtered')] })
    upstream.forgetRequests()

    const result = await site.sync('demo')

    expect(result).toMatchObject({ status: 'synced', revision: 2, packages: 6 })
    expect(upstream.requests.map(({ path }) => path).filter((path) => path.endsWith('.rpm'))).toEqual([])
    expect(await countRecords(site)).toEqual({ present: 6, absent: 0 })
  })

  it('come again after a while as a mirror that moved on', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [repository(upstream, 'filtered')] })
    await site.sync('demo')
    await site.reopen({ repositories: [repository(upstream, 'mirror')] })
    showDemo(upstream, 'v2')
    await site.sync('demo')
    await site.reopen({ repositories: [repository(upstream, 'filtered')] })

    await site.sync('demo')

    expect(await countRecords(site)).toEqual({ present: 6, absent: 0 })
  })
})
