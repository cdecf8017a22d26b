import { statfs } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { demoFiles, startDemoUpstream } from '../../tests/support/demo-upstream.ts'
import { openSite } from '../../tests/support/site.ts'
import { stats } from './stats.ts'

const signal = new AbortController().signal

it('counts what is there, and nothing where there is nothing', async () => {
  await using upstream = await startDemoUpstream()
  await using site = await openSite({
    repositories: ['one', 'two', 'three'].map((id) => ({ id, type: 'rpm', feed: upstream.url })),
  })
  const files = Object.values(demoFiles('v1'))
  const bytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0)

  const before = await stats(site.context, {}, signal)
  for (const id of ['one', 'two']) await site.sync(id)
  await site.snapshot('one@first')
  await site.publish('one')
  const after = await stats(site.context, {}, signal)

  const nothing = { syncedRepositories: 0, revisions: 0, snapshots: 0, publications: 0, packages: 0 }
  const emptyPool = { blobs: 0, sizeBytes: 0, referencedBytes: 0, dedupeRatio: null }
  expect(before).toMatchObject({ configuredRepositories: 3, ...nothing, pool: emptyPool })
  expect(after).toMatchObject({
    configuredRepositories: 3,
    syncedRepositories: 2,
    revisions: 2,
    snapshots: 1,
    publications: 1,
    packages: 12,
    pool: { blobs: files.length, sizeBytes: bytes, referencedBytes: 2 * bytes, dedupeRatio: 2 },
  })
  const { bsize, blocks } = await statfs(site.folder)
  expect(after.pool.freeBytes).toBeGreaterThan(0)
  expect(after.pool.freeBytes).toBeLessThan(bsize * blocks)
})
