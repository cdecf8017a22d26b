import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { flawError, verifyDatabase } from '../../src/app/database/verify-database.ts'
import { moments } from '../../src/app/moments.ts'
import { orphanedBlobs } from '../../src/app/pool/orphaned-blobs.ts'
import { openDatabase } from '../../src/catalog/catalog-database.ts'
import { showDemo, startDemoUpstream } from '../support/demo-upstream.ts'
import { openSite, type Site } from '../support/site.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { brokenInvariants } from './invariants.ts'
import { startProcess } from './process.ts'

/** Two states of an upstream, in three snapshots; the newest is published, and retention keeps one more. */
async function siteWithHistory(upstream: Upstream): Promise<Site> {
  const demo = { type: 'rpm', feed: upstream.url, retention: { keep_last: 1 } }
  const site = await openSite({
    repositories: [
      { id: 'demo', ...demo },
      { id: 'other', ...demo, mode: 'filtered' },
    ],
    sections: { views: [{ name: 'both', repos: ['demo', 'other'] }] },
  })
  for (const id of ['demo', 'other']) await site.sync(id)
  for (const name of ['first', 'second']) await site.snapshot(`demo@${name}`)
  showDemo(upstream, 'v2')
  for (const id of ['demo', 'other']) await site.sync(id)
  await site.snapshot('demo@third')
  for (const id of ['demo', 'other']) await site.publish(id)
  return site
}

async function die(site: Site, work: string, moment: string): Promise<void> {
  const { signal, stderr } = await startProcess(site.folder, work, { moment, nth: 1 }).ended
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
}

const run = async (site: Site, work: string) => (await startProcess(site.folder, work).ended).stderr

async function expectSound(site: Site): Promise<void> {
  const output = await verifyDatabase(
    site.context,
    { deep: true, repair: false },
    new AbortController().signal,
  )
  expect(flawError(output)).toBeNull()
  expect(await brokenInvariants(site)).toEqual([])
}

const snapshots = (site: Site) =>
  site.context.catalog.read(async (reader) => (await reader.snapshots()).map(({ name }) => name).sort())

/** Of those who live: others stand there until somebody asks for what they held, and is told. */
const leases = async (site: Site) =>
  (await site.context.catalog.leases()).filter(({ health }) => health !== 'dead')

describe('a pruning of snapshots that is killed', () => {
  it.each(moments.prune)(
    'at “%s” has removed all that go or none, and the next one removes them',
    async (moment) => {
      await using upstream = await startDemoUpstream()
      await using site = await siteWithHistory(upstream)

      await die(site, 'prune', moment)

      const all = ['first', 'second', 'third']
      expect(await snapshots(site)).toEqual(moment === 'snapshots removed' ? ['third'] : all)
      await expectSound(site)
      expect(await run(site, 'prune,collect')).toBe('')
      expect(await snapshots(site)).toEqual(['third'])
      await expectSound(site)
    },
  )
})

describe('a cleanup that is killed', () => {
  it.each(moments.cleanup)('at “%s” leaves the rest sound, and the next one ends it', async (moment) => {
    await using upstream = await startDemoUpstream()
    await using site = await siteWithHistory(upstream)
    await site.reopen({
      repositories: [{ id: 'other', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      sections: {},
    })

    await die(site, 'cleanup', moment)

    await expectSound(site)
    expect(await run(site, 'cleanup,collect')).toBe('')
    const left = await site.context.catalog.read((reader) => reader.repositories())
    expect(left.map(({ id }) => id)).toEqual(['other'])
    expect(await snapshots(site)).toEqual([])
    expect(await site.context.publications.list()).toEqual(['repositories/other/latest'])
    expect(await leases(site)).toEqual([])
    // A dead process has nothing spared, though nobody takes over what it held.
    const { signal } = new AbortController()
    expect(await orphanedBlobs(site.context, {}, signal)).toEqual([])
    await expectSound(site)
  })
})

describe('a removal of packages that is killed', () => {
  const points = moments.sync.filter((moment) => !/^(metadata|blobs|files)/.test(moment))
  it.each(points)('at “%s” has removed all of them or none, and the next one succeeds', async (moment) => {
    await using site = await openSite({ repositories: [{ id: 'tools', type: 'rpm', mode: 'hosted' }] })
    expect(
      await run(site, `upload tools ${join(import.meta.dirname, '../../assets/demo/v2/Packages')}`),
    ).toBe('')

    await die(site, 'remove tools demo-[ch]*', moment)

    await expectSound(site)
    const isSealed = moment === 'revision sealed'
    expect((await site.publish('tools')).packages).toBe(isSealed ? 3 : 6)
    expect(await run(site, 'remove tools demo-[ch]*')).toBe(
      isSealed ? 'NOT_FOUND: tools holds no package "demo-[ch]*"\n' : '',
    )
    expect((await site.publish('tools')).packages).toBe(3)
    expect(await leases(site)).toEqual([])
    await expectSound(site)
  })
})

describe('a vacuum that is killed', () => {
  it.each(moments.vacuum)('at “%s” leaves everything sound, and holds up nobody', async (moment) => {
    await using upstream = await startDemoUpstream()
    await using site = await siteWithHistory(upstream)

    await die(site, 'vacuum', moment)

    expect((await site.sync('demo')).status).toBe('unchanged')
    await expectSound(site)
    expect(await run(site, 'vacuum')).toBe('')
    expect(await leases(site)).toEqual([])
    await expectSound(site)
  })
})

describe('a backup that is killed', () => {
  it('has not made its file, and the next one makes it', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await siteWithHistory(upstream)
    const file = join(site.folder, 'backup.db')

    await die(site, `backup ${file}`, 'catalog copied')

    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' })
    await expectSound(site)
    expect(await run(site, `backup ${file}`)).toBe('')
    const copy = openDatabase({ url: { kind: 'sqlite', file }, now: () => new Date() })
    expect(await copy.status()).toMatchObject({ id: site.context.catalog.id, leases: [], pending: [] })
  })
})
