import { describe, expect, it } from 'vitest'
import { type OddPackage, rpmFiles } from '../../../tests/support/rpm-files.ts'
import type { RpmTree } from '../../../tests/support/rpm-tree.ts'
import { readTree } from '../../../tests/support/site.ts'
import {
  at,
  comps,
  elmOfExtra,
  everything,
  filesOfExtra,
  group,
  latest,
  oak,
  openWorld,
  packagesAt,
  treeOf,
  yew,
} from './view.test-support.ts'

const hrefsOf = ({ repomd }: RpmTree) => repomd.records.map(({ href }) => href)

describe('a view of RPM repositories that is published again', () => {
  it('is the same where nothing changed', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.publish('el')
    const before = await treeOf(site)

    const again = await site.publish('el')
    const forced = await site.publish('el', { force: true })

    expect(again.unchanged).toBe(true)
    expect(forced).toMatchObject({ unchanged: false, packageLinks: 0 })
    expect(hrefsOf(await treeOf(site))).toEqual(hrefsOf(before))
  })

  it('has the change of one member, and the others as they were', async () => {
    await using world = await openWorld()
    const { site, extra } = world
    await site.publish('el')
    const before = await treeOf(site)
    const zelkova: OddPackage = { name: 'zelkova' }
    const records = [comps(group('trees', 'Other trees', 'zelkova'))]
    for (const [path, bytes] of Object.entries(filesOfExtra([zelkova, elmOfExtra], records)))
      extra.put(path, bytes)
    await site.sync('extra')

    const changed = await site.publish('el')

    expect(changed.packageLinks).toBe(1)
    expect(await packagesAt(site, latest)).toEqual([
      ...everything.slice(0, 3),
      at('extra', elmOfExtra),
      at('extra', zelkova),
      ...everything.slice(6),
    ])
    const after = await treeOf(site)
    const others = ({ packages }: RpmTree) =>
      packages.filter(({ primary }) => !primary.href.startsWith('extra/'))
    expect(others(after)).toEqual(others(before))
    expect(after.comps?.groups.map(({ packages }) => packages.map(({ name }) => name))).toEqual([
      ['oak', 'zelkova'],
    ])
    expect(after.modules.map((one) => 'stream' in one && one.stream)).toEqual(['1', '1'])
    expect(after.advisories.map(({ id }) => id)).toEqual(['A', 'B'])
  })

  it('goes back with all members, and so does a name for its snapshots', async () => {
    await using world = await openWorld()
    const { site, base, extra } = world
    await site.publish('el')
    await site.snapshot('el@first')
    for (const [path, bytes] of Object.entries(rpmFiles([oak]))) base.put(path, bytes)
    for (const [path, bytes] of Object.entries(filesOfExtra([yew], []))) extra.put(path, bytes)
    for (const id of ['base', 'extra']) await site.sync(id)
    await site.publish('el')
    const after = await packagesAt(site, latest)

    const frozen = await site.publish('el@first')
    await site.rollBack(latest)

    expect(after).toEqual([at('base', oak), at('extra', yew), ...everything.slice(6)])
    for (const path of [frozen.path, latest]) {
      expect(await packagesAt(site, path)).toEqual(everything)
      const { comps, advisories, modules } = await treeOf(site, path)
      expect(comps?.groups).toHaveLength(2)
      expect(advisories).toHaveLength(2)
      expect(modules).toHaveLength(3)
    }
    const names = [...(await readTree(site.published(frozen.path))).keys()]
    expect(names).toEqual(expect.arrayContaining(everything))
  })
})
