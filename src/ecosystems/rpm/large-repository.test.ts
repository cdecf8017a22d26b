import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeLargeRpmRepository } from '../../../tests/support/large-rpm-repository.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite } from '../../../tests/support/site.ts'

const count = 2000

it.each(['mirror', 'filtered'])('makes links for what changed alone: %s of 2,000 packages', async (mode) => {
  await using site = await openSite({ repositories: [] })
  const upstream = join(site.folder, 'upstream')
  await site.reopen({ repositories: [{ id: 'large', type: 'rpm', feed: `file://${upstream}`, mode }] })
  await writeLargeRpmRepository(upstream, { count })
  await site.sync('large')
  await site.snapshot('large@one')
  await site.snapshot('large@two')

  const first = await site.publish('large@one')
  const second = await site.publish('large@two')
  const latest = await site.publish('large')
  await rm(upstream, { recursive: true })
  await writeLargeRpmRepository(upstream, { count, version: (index) => (index % 400 === 0 ? '1.1' : '1.0') })
  const update = await site.sync('large')
  const updated = await site.publish('large')

  expect([first, second, latest].map(({ packageLinks }) => packageLinks)).toEqual([count, 0, 0])
  expect(update).toMatchObject({ packages: count, added: 5, removed: 5, replaced: 0 })
  expect(updated.packageLinks).toBe(5)
  for (const [path, version] of [
    ['latest', '1.1'],
    ['snapshots/two', '1.0'],
  ] as const) {
    const { packages } = await readRpmTree(site.published(`repositories/large/${path}`))
    expect(packages).toHaveLength(count)
    expect(packages[0]?.primary.nevra.version).toBe(version)
  }
})
