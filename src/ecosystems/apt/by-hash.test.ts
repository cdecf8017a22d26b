import { realpath } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { aptModes } from '../../../tests/support/apt-site.ts'
import { readAptTree } from '../../../tests/support/apt-tree.ts'
import { aptFiles, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { filesBelow, openSite } from '../../../tests/support/site.ts'

const hour = 60 * 60 * 1000

describe('an index under its checksum', () => {
  it.each(aptModes)('stays for clients that are midway, and goes when those are gone: %s', async (mode) => {
    let now = new Date('2026-03-01T00:00:00Z')
    // Without by-hash of earlier states, which upstream keeps in v2.
    const v2 = Object.fromEntries(
      Object.entries(aptFiles('v2')).filter(([name]) => !name.includes('/by-hash/')),
    )
    await using upstream = await startAptUpstream(aptFiles('v1'))
    await using site = await openSite({
      repositories: [{ id: 'one', type: 'apt', mode, feed: upstream.url.href, apt: { suites: ['stable'] } }],
      sections: { publish: { keep_generations: 1, grace: '6h' } },
      now: () => now,
    })
    const publish = async () => {
      await site.sync('one')
      await site.publish('one', { force: true })
      const top = await realpath(site.published('repositories/one/latest'))
      const { listed } = await readAptTree(top, 'stable')
      const current = new Set([...listed.values()].map(({ checksums }) => checksums['SHA256']))
      const found = (await filesBelow(top)).filter((name) => name.includes('/by-hash/SHA256/'))
      return found.map((name) => name.slice(name.lastIndexOf('/') + 1)).filter((hash) => !current.has(hash))
        .length
    }

    const first = await publish()
    now = new Date(now.getTime() + hour)
    upstream.show(v2)
    const second = await publish()
    now = new Date(now.getTime() + 5 * hour)
    const third = await publish()
    now = new Date(now.getTime() + 7 * hour)
    const last = await publish()

    expect(first).toBe(0)
    expect(second).toBeGreaterThan(5)
    expect(third).toBe(second)
    expect(last).toBe(0)
  })
})
