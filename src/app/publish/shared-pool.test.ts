import { expect, it } from 'vitest'
import { rpmFiles } from '../../../tests/support/rpm-files.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { filesBelow, openSite } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

it('publishes of a pool that several share what a repository lists, and nothing else', async () => {
  await using upstream = await startUpstream()
  const lists = { one: ['ash', 'oak'], two: ['oak', 'yew'] }
  for (const [id, names] of Object.entries(lists))
    for (const [path, bytes] of Object.entries(rpmFiles(names.map((name) => ({ name })))))
      upstream.put(`${id}/${path}`, bytes)
  await using site = await openSite({
    repositories: Object.keys(lists).flatMap((id) =>
      ['mirror', 'filtered'].map((mode) => ({
        id: `${id}-${mode}`,
        type: 'rpm',
        feed: new URL(`${id}/`, upstream.url),
        mode,
      })),
    ),
  })
  const ids = ['one-mirror', 'one-filtered', 'two-mirror', 'two-filtered']
  for (const id of ids) await site.sync(id)

  for (const id of ids) await site.publish(id)

  for (const id of ids) {
    const expected = id.startsWith('one') ? lists.one : lists.two
    const folder = site.published(`repositories/${id}/latest`)
    const { packages } = await readRpmTree(folder)
    expect(packages.map(({ primary }) => primary.nevra.name)).toEqual(expected)
    expect((await filesBelow(folder)).filter((name) => name.endsWith('.rpm'))).toEqual(
      expected.map((name) => `Packages/${name}-1.0-1.noarch.rpm`),
    )
  }
  const found = await site.context.catalog.read((reader) => reader.searchPackages({ pattern: 'oak' }, 10))
  expect(new Set(found.map(({ package: { files } }) => files[0].digest)).size).toBe(1)
})
