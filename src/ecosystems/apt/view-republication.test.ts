import { describe, expect, it } from 'vitest'
import { aptFiles } from '../../../tests/support/apt-upstream.ts'
import { readTree, type Site } from '../../../tests/support/site.ts'
import { latest, openWorld, signing, treeOf, viewOf } from './view.test-support.ts'

describe('a view of APT repositories that is published again', () => {
  const undated = async (site: Site) =>
    new Map(
      [...(await readTree(site.published(latest)))].filter(
        ([path]) => path.includes('dists/') && !path.includes('/by-hash/') && !/Release(\.gpg)?$/.test(path),
      ),
    )

  it('is the same where nothing changed', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.publish('all')
    const before = await undated(site)

    const again = await site.publish('all')
    const forced = await site.publish('all', { force: true })

    expect(again.unchanged).toBe(true)
    expect(forced).toMatchObject({ unchanged: false })
    expect(await undated(site)).toEqual(before)
  })

  it('has the change of one member, goes back with all, and is frozen with all', async () => {
    await using world = await openWorld(['base', 'more', 'flat'])
    const { site, base } = world
    await site.publish('all')
    await site.snapshot('all@first')
    const before = await treeOf(site)

    base.show(aptFiles('v2'))
    await site.sync('flat')
    await site.publish('all')
    const flat = await treeOf(site, 'flat/')
    const after = await treeOf(site)
    const frozen = await site.publish('all@first')
    await site.rollBack(latest)

    expect([...flat.pool.keys()].sort()).toEqual([
      'flat/flat-lib_0.2_amd64.deb',
      'flat/flat-tool_1.0_all.deb',
    ])
    expect(after.indexes).toEqual(before.indexes)
    for (const path of [frozen.path, latest]) {
      expect((await treeOf(site, 'stable', path)).indexes).toEqual(before.indexes)
      expect([...(await treeOf(site, 'flat/', path)).pool.keys()]).toContain('flat/flat-lib_0.1_amd64.deb')
    }
  })

  it('is not made of a mirror that kept nothing of its packages', async () => {
    await using world = await openWorld(['more', 'base'], {})
    const { site } = world
    await site.reopen({ sections: { ...signing, ...viewOf(['more', 'base']) } })

    await expect(site.publish('all')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: expect.stringContaining('base was synced as a verbatim mirror'),
      hint: expect.stringContaining('chantal repo sync base'),
    })
    await site.sync('base')
    expect(await site.publish('all')).toMatchObject({ path: latest, unchanged: false })
  })
})
