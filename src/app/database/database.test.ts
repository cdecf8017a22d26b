import { chmod, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site, signingKey } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import type { Sha256 } from '../../core/digest.ts'
import { pinSnapshot } from '../snapshot/pin-snapshot.ts'
import { findGoneRepositories, removeGoneRepositories } from './clean-up-database.ts'
import { databaseStatistics } from './database-statistics.ts'
import { vacuumDatabase } from './vacuum-database.ts'
import { flawError, verifyDatabase } from './verify-database.ts'

const { signal } = new AbortController()
const latest = 'repositories/demo/latest'

const openWith = (upstream: Upstream, ids = ['demo']) =>
  openSite({ repositories: ids.map((id) => ({ id, type: 'rpm', feed: upstream.url })) })

const verify = (site: Site, { deep = false, repair = false } = {}) =>
  verifyDatabase(site.context, { deep, repair }, signal)

async function blobOf(site: Site, name: string): Promise<string> {
  const [found] = await site.context.catalog.read((reader) => reader.searchPackages({ pattern: name }, 1))
  if (!found) throw new Error(`no package ${name}`)
  return pathOf(site, found.package.files[0].digest)
}

const pathOf = (site: Site, digest: Sha256) =>
  path.join(site.context.settings.storage.poolPath, 'sha256', digest.slice(0, 2), digest)

describe('verifying the database', () => {
  it('finds nothing wrong with repositories of every mode, whatever happened to them', async () => {
    await using upstream = await startDemoUpstream()
    const feed = upstream.url
    const signing = { key_file: 'signing.asc' }
    const { privateKey } = await signingKey()
    await using site = await openSite({
      files: { 'signing.asc': privateKey },
      repositories: [
        { id: 'demo', type: 'rpm', feed },
        {
          id: 'part',
          type: 'rpm',
          feed,
          mode: 'filtered',
          signing,
          filters: { patterns: { exclude: ['^demo-legacy$'] } },
        },
      ],
    })
    for (const id of ['demo', 'part']) {
      await site.sync(id)
      await site.publish(id)
      await site.snapshot(`${id}@first`)
    }
    showDemo(upstream, 'v2')
    for (const id of ['demo', 'part']) {
      await site.sync(id)
      await site.publish(id)
    }

    const verified = await verify(site, { deep: true })

    expect(verified).toMatchObject({
      repositories: 2,
      revisions: 4,
      publications: 2,
      flaws: [],
      damaged: [],
      unnamedBlobs: 0,
      repaired: 0,
    })
    expect(verified.packages).toBeGreaterThan(10)
    expect(flawError(verified)).toBeNull()
  })

  it('names missing blobs and those of another size, with what they affect, and fetches them anew', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.snapshot('demo@first')
    await site.publish('demo')
    const [missing, short] = [await blobOf(site, 'demo-server'), await blobOf(site, 'demo-legacy')]
    await rm(missing)
    await chmod(short, 0o644)
    await truncate(short, 10)

    const found = await verify(site)
    const repaired = await verify(site, { repair: true })
    const after = await verify(site, { deep: true })

    expect(found.damaged.map(({ state }) => state).sort()).toEqual(['corrupt', 'missing'])
    expect(found.damaged[0]).toMatchObject({ snapshots: ['demo@first'], publications: [latest] })
    expect(flawError(found)).toMatchObject({ code: 'CATALOG_CORRUPT' })
    expect(repaired.repaired).toBeGreaterThanOrEqual(2)
    expect(repaired.damaged.every((blob) => blob.repaired)).toBe(true)
    expect(after).toMatchObject({ flaws: [], damaged: [] })
  })

  it('reads the bytes of blobs only where it is to go deep', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    const blob = await blobOf(site, 'demo-server')
    const bytes = await readFile(blob)
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
    await chmod(blob, 0o644)
    await writeFile(blob, bytes)

    const [shallow, deep] = [await verify(site), await verify(site, { deep: true })]

    expect(shallow.damaged).toEqual([])
    expect(deep.damaged).toMatchObject([{ state: 'corrupt' }])
    expect(flawError(deep)).toMatchObject({ code: 'BLOB_CORRUPT' })
  })

  it('counts blobs that no row names, which are nobody’s', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    const { pool } = site.context
    for (const text of ['left', 'by a sync that died'])
      await pool.keep([pool.receiveWhole(Buffer.from(text), { checksums: [], maxSize: 100 })])

    expect(await verify(site)).toMatchObject({ unnamedBlobs: 2, damaged: [], flaws: [] })
  })

  it('names what is not published as the catalog has it, and what published trees lack', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.publish('demo')
    await site.snapshot('demo@first')
    await site.publish('demo@first')
    const { files } = await currentOf(site)
    const repomd = path.join(site.published(latest), 'repodata/repomd.xml')
    await rm(repomd, { force: true })
    await rm(site.published('repositories/demo/snapshots/first'))

    const found = await verify(site)

    expect(files).toBeGreaterThan(6)
    expect(found.flaws.map(({ check, subject, message }) => `${check}: ${subject} ${message}`)).toEqual([
      `publication: ${latest} lacks repodata/repomd.xml, or it has another size`,
      expect.stringMatching(
        /^publication: repositories\/demo\/snapshots\/first shows nothing and should show 2\d{7}T/,
      ),
      expect.stringMatching(/^publication: repositories\/demo\/snapshots\/first has no generation /),
    ])
    expect(flawError(found)).toMatchObject({
      code: 'CATALOG_CORRUPT',
      hint: expect.stringContaining('publish'),
    })
  })

  it('looks at the packages on a shelf, once for all publications', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.publish('demo')
    await site.snapshot('demo@first')
    await site.publish('demo@first')
    const folder = path.join(site.published(latest), 'Packages')
    const [name = ''] = await readdir(folder)
    await rename(path.join(folder, name), path.join(folder, 'elsewhere'))

    const { flaws } = await verify(site)

    expect(flaws).toMatchObject([{ message: `lacks Packages/${name}, or it has another size` }])
  })

  it('gives published packages the bytes of the pool where somebody removed, cut or replaced them', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.publish('demo')
    const before = await readTree(site.published(latest))
    const folder = path.join(site.published(latest), 'Packages')
    const [removed = '', cut = '', replaced = ''] = await readdir(folder)
    await rm(path.join(folder, removed))
    await replace(path.join(folder, cut), () => Buffer.from('short'))
    await replace(path.join(folder, replaced), (bytes) => Buffer.alloc(bytes.byteLength, 'other'))

    const [shallow, deep] = [await verify(site), await verify(site, { deep: true })]
    const repaired = await verify(site, { deep: true, repair: true })
    const after = await verify(site, { deep: true })

    expect(shallow.flaws).toHaveLength(2)
    expect(deep.flaws.map(({ message }) => message)).toEqual(
      [removed, cut, replaced].map((name) => `lacks Packages/${name}, or it has other bytes`),
    )
    expect(flawError(deep)).toMatchObject({ hint: expect.stringContaining('--repair') })
    expect(repaired).toMatchObject({ repaired: 3, flaws: Array(3).fill({ repaired: true }) })
    expect(flawError(repaired)).toBeNull()
    expect(after.flaws).toEqual([])
    expect(await readTree(site.published(latest))).toEqual(before)
  })

  it('finds published what was set aside in the pool, and has been fetched anew since by a sync', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.publish('demo')
    const blob = await blobOf(site, 'demo-server')
    const bytes = await readFile(blob)
    const corrupt = Buffer.from(bytes).fill(0, 100, 200)
    await chmod(blob, 0o644)
    await writeFile(blob, corrupt)
    await site.context.pool.quarantine(path.basename(blob) as Sha256)
    await writeFile(blob, bytes)

    const [shallow, deep] = [await verify(site), await verify(site, { deep: true })]
    await verify(site, { deep: true, repair: true })

    expect([shallow.flaws, deep.flaws]).toMatchObject([
      [],
      [{ message: 'lacks Packages/demo-server-1.0-1.noarch.rpm, or it has other bytes' }],
    ])
    expect(await verify(site, { deep: true })).toMatchObject({ flaws: [], damaged: [] })
  })

  it('names packages that no link shows any more, and those of a shelf that is gone', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.publish('demo')
    await rm(path.join(site.published(latest), 'Packages'))

    const unlinked = await verify(site, { repair: true })
    await rm(path.join(site.published('.'), '.shelves/demo/1'), { recursive: true })
    const gone = await verify(site, { repair: true })
    await site.publish('demo', { force: true })

    for (const { flaws } of [unlinked, gone]) {
      expect(flaws).toHaveLength(6)
      expect(flaws[0]).toMatchObject({ message: expect.stringMatching(/^lacks Packages\//), repaired: false })
    }
    expect(flawError(gone)).toMatchObject({ hint: expect.stringContaining('--force') })
    expect((await verify(site, { deep: true })).flaws).toEqual([])
  })

  it('names a shelf’s list that is damaged, repairs what does not need it, and finds all well once it was made anew', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream)
    await site.sync('demo')
    await site.publish('demo')
    const list = site.published('.shelves/demo/1.manifest')
    await writeFile(list, 'no list')
    await rm(await blobOf(site, 'demo-server'))

    const repaired = await verify(site, { deep: true, repair: true })
    await site.publish('demo', { force: true })
    const after = await verify(site, { deep: true })

    const message = 'lacks a record of what it holds, or it is damaged: .shelves/demo/1.manifest'
    expect(repaired.flaws).toContainEqual(
      expect.objectContaining({ subject: latest, message, repaired: true }),
    )
    // Nothing says which bytes the files on that shelf should have.
    expect(repaired.flaws).toContainEqual(expect.objectContaining({ subject: latest, repaired: false }))
    expect(repaired.unreplaced).toMatchObject([{ path: '.shelves/demo' }])
    expect(repaired.damaged).toMatchObject([{ repaired: true }])
    expect(flawError(repaired)).toMatchObject({ code: 'CATALOG_CORRUPT' })
    expect(after).toMatchObject({ flaws: [], damaged: [], unreplaced: [] })
  })
})

/** By another file under its name, as a copy from elsewhere does. */
async function replace(file: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = await readFile(file)
  await rm(file)
  await writeFile(file, change(bytes))
}

async function currentOf(site: Site) {
  const [publication] = await site.context.catalog.read((reader) => reader.publications())
  if (!publication?.current) throw new Error('nothing is published')
  return publication.current
}

describe('cleaning up', () => {
  const ids = ['demo', 'other']

  async function openWithGone(upstream: Upstream) {
    const site = await openWith(upstream, ids)
    for (const id of ids) await site.sync(id)
    await site.publish('demo')
    await site.publish('other')
    const [other] = ids.slice(1)
    await site.reopen({ repositories: [{ id: other, type: 'rpm', feed: upstream.url }] })
    return site
  }

  it('removes what the catalog and the disk have of repositories that are gone, and nothing else', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWithGone(upstream)
    const before = await verify(site)

    const gone = await findGoneRepositories(site.context, { snapshots: false }, signal)
    const removed = await removeGoneRepositories(site.context, { repositories: gone }, signal)

    expect(gone).toMatchObject([
      { repository: 'demo', outcome: 'removable', publications: [latest], snapshots: [], bytes: 0 },
    ])
    expect(removed).toMatchObject([{ repository: 'demo', outcome: 'removed' }])
    const after = await verify(site)
    expect(after).toMatchObject({ repositories: 1, publications: 1, flaws: [], damaged: [] })
    expect([before.repositories, before.packages]).toEqual([2, after.packages * 2])
    expect(await readdir(path.join(site.published('.'), '.shelves'))).toEqual(['other'])
    await expect(stat(site.published(latest))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await findGoneRepositories(site.context, { snapshots: false }, signal)).toEqual([])
  })

  it('says how much nobody else holds', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWithGone(upstream)
    showDemo(upstream, 'v2')
    await site.sync('other')

    const [gone] = await findGoneRepositories(site.context, { snapshots: false }, signal)

    // What v2 took away is in the first revision of the other one as well.
    expect(gone?.bytes).toBe(0)
    expect(gone?.packages).toBe(6)
  })

  it('keeps one that has snapshots, unless those may go too', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream, ids)
    await site.sync('demo')
    await site.snapshot('demo@first')
    await site.publish('demo@first')
    await site.reopen({ repositories: [{ id: 'other', type: 'rpm', feed: upstream.url }] })
    const find = (snapshots: boolean) => findGoneRepositories(site.context, { snapshots }, signal)

    const kept = await removeGoneRepositories(site.context, { repositories: await find(false) }, signal)
    const still = (await verify(site)).repositories
    const removed = await removeGoneRepositories(site.context, { repositories: await find(true) }, signal)

    expect(kept).toMatchObject([{ outcome: 'kept', snapshots: ['demo@first'] }])
    expect(kept[0]?.reason).toContain('--snapshots')
    expect(still).toBe(1)
    expect(removed).toMatchObject([{ outcome: 'removed' }])
    expect(await verify(site)).toMatchObject({ repositories: 0, publications: 0, flaws: [] })
  })

  it('keeps one with a pinned snapshot whatever is asked for, until that is unpinned', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWith(upstream, ids)
    await site.sync('demo')
    await site.snapshot('demo@first')
    const pin = (isPinned: boolean) => pinSnapshot(site.context, { source: 'demo@first', isPinned }, signal)
    await pin(true)
    await site.reopen({ repositories: [{ id: 'other', type: 'rpm', feed: upstream.url }] })
    const find = () => findGoneRepositories(site.context, { snapshots: true }, signal)

    const [kept] = await find()
    const unpinned = await pin(false)
    const [removable] = await find()

    expect(kept).toMatchObject({
      outcome: 'kept',
      reason: 'demo@first is pinned: run `chantal snapshot unpin demo@first` first',
    })
    expect(unpinned).toMatchObject({ source: 'demo@first', pinned: false })
    expect(removable).toMatchObject({ outcome: 'removable', reason: null })
  })

  it('leaves a repository alone that is configured again meanwhile', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openWithGone(upstream)
    const gone = await findGoneRepositories(site.context, { snapshots: false }, signal)
    await using _sync = await site.context.catalog.acquire({
      resource: 'repository:demo',
      mode: 'exclusive',
      purpose: 'sync demo',
      waitMs: 0,
      signal,
    })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 200)

    const removal = removeGoneRepositories(site.context, { repositories: gone }, controller.signal)

    await expect(removal).rejects.toThrow('enough')
    expect(await verify(site)).toMatchObject({ repositories: 2, publications: 2, flaws: [] })
  })
})

describe('vacuuming', () => {
  it('is refused while somebody is at work, and tells sizes otherwise', async () => {
    await using upstream = await startUpstream()
    await using site = await openWith(upstream)
    const { catalog } = site.context
    const sync = await catalog.acquire({
      resource: 'repository:demo',
      mode: 'exclusive',
      purpose: 'sync demo',
      waitMs: 0,
      signal,
    })

    const refused = vacuumDatabase(site.context, {}, signal)
    await expect(refused).rejects.toMatchObject({ code: 'LEASE_HELD' })
    await sync[Symbol.asyncDispose]()
    const done = await vacuumDatabase(site.context, {}, signal)

    expect(done).toMatchObject({ engine: 'sqlite' })
    expect(done.afterBytes).toBeGreaterThan(0)
    expect(done.afterBytes).toBeLessThanOrEqual(done.beforeBytes)
  })
})

describe('statistics', () => {
  it('tell ratios, and what the last days brought', async () => {
    await using upstream = await startDemoUpstream()
    const clock = { now: new Date('2026-03-01T00:00:00Z') }
    await using site = await openSite({
      repositories: ['demo', 'twin'].map((id) => ({ id, type: 'rpm', feed: upstream.url })),
      now: () => clock.now,
    })
    const empty = await databaseStatistics(site.context, {}, signal)
    await site.sync('demo')
    clock.now = new Date('2026-03-06T00:00:00Z')
    await site.sync('twin')
    await site.publish('twin')

    const figures = await databaseStatistics(site.context, {}, signal)

    expect(empty).toMatchObject({ dedupeRatio: null, publishedRatio: null, blobs: 0, months: [] })
    expect(figures.dedupeRatio).toBe(2)
    expect(figures.publishedRatio).toBe(1)
    expect(figures.sizeBytes).toBeGreaterThan(0)
    expect(
      figures.recent.map(({ days, revisions, fetchedFiles }) => [days, revisions, fetchedFiles > 0]),
    ).toEqual([
      [1, 1, expect.any(Boolean)],
      [7, 2, true],
      [30, 2, true],
    ])
    expect(figures.months).toMatchObject([{ month: '2026-03', revisions: 2, syncs: 2 }])
    expect(figures.byRepository).toMatchObject([
      { repository: 'demo', ownBytes: 0 },
      { repository: 'twin', ownBytes: 0 },
    ])
  })
})
