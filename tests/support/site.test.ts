import { describe, expect, inject, it } from 'vitest'
import { createDatabase } from '../servers/postgresql.ts'
import { startUpstream } from '../upstream/upstream.ts'
import { openSite, readTree } from './site.ts'

const server = inject('postgresql')

describe('a site', () => {
  it.for([
    { name: 'SQLite', skipped: false },
    { name: 'PostgreSQL', skipped: 'missing' in server },
  ])('syncs, publishes, and goes on after it is opened again: $name', async ({ name, skipped }, { skip }) => {
    skip(skipped, 'PostgreSQL is not installed')
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    const demo = { id: 'demo', type: 'rpm', feed: upstream.url }
    const database = name === 'PostgreSQL' ? { database: await createDatabase(server) } : {}
    await using site = await openSite({ repositories: [demo], ...database })

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
