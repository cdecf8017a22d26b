import { describe, expect, it } from 'vitest'
import { startUpstream } from '../upstream/upstream.ts'
import { openSite, readTree } from './site.ts'

describe('a site', () => {
  it('syncs, publishes, and goes on after it is opened again', async () => {
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    const demo = { id: 'demo', type: 'rpm', feed: upstream.url }
    await using site = await openSite({ repositories: [demo] })

    const first = await site.sync('demo')
    await site.publish('demo')
    await site.reopen()
    const second = await site.sync('demo')

    expect(first).toMatchObject({ status: 'synced', packages: 6, revision: 1 })
    expect(second.status).toBe('unchanged')
    expect(await readTree(site.published('repositories/demo/latest'))).toEqual(
      await readTree('assets/demo/v1'),
    )
  })
})
