import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { demoFiles, showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { editPrimary } from '../../../tests/support/edited-demo.ts'
import { readAsClient } from '../../../tests/support/rpm-client.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { Sha256 } from '../../core/digest.ts'
import { configuredRepository } from '../configured.ts'
import { findPackageFiles } from '../package/find-package-files.ts'
import { uploadPackages } from '../package/upload-packages.ts'
import { exportSource } from '../publish/export-source.ts'
import { unpublish } from '../publish/unpublish.ts'
import { deleteSnapshot } from '../snapshot/delete-snapshot.ts'
import { syncRepository } from '../sync/sync-repository.ts'
import { BlobSources } from './blob-sources.ts'
import { collectGarbage } from './collect-garbage.ts'
import { damageError, verifyPool } from './verify-pool.ts'

const signal = new AbortController().signal
const day = 24 * 60 * 60 * 1000
const latest = 'repositories/demo/latest'

/** A site whose clock a test sets; it starts after the files of the pool come into being. */
async function openWithClock(upstream: Upstream, reached?: (name: string) => void) {
  const clock = { now: new Date(Date.now() + day) }
  const site = await openSite({
    ...(reached && { reached }),
    repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
    sections: { publish: { keep_generations: 1, grace: '0s' } },
    now: () => clock.now,
  })
  return { clock, site }
}

/** The same catalog, where something happens after what is read first. */
function afterFirstRead(catalog: Catalog, happen: () => Promise<void>): Catalog {
  let isFirst = true
  const read: Catalog['read'] = async (work) => {
    const found = await catalog.read(work)
    if (isFirst) {
      isFirst = false
      await happen()
    }
    return found
  }
  return Object.create(catalog, { read: { value: read } })
}

const collect = (site: Site, graceMs = 0, dryRun = false) =>
  collectGarbage(site.context, { graceMs, dryRun }, signal)

async function digestOf(site: Site, name: string): Promise<Sha256> {
  const [found] = await site.context.catalog.read((reader) => reader.searchPackages({ pattern: name }, 1))
  if (!found) throw new Error(`no package ${name}`)
  return found.package.files[0].digest
}

const blobPath = (site: Site, digest: Sha256) =>
  path.join(site.context.settings.storage.poolPath, 'sha256', digest.slice(0, 2), digest)

/** Turns a bit of a blob over, as a disk may: wherever it is linked. */
async function corrupt(site: Site, digest: Sha256): Promise<void> {
  const file = blobPath(site, digest)
  const bytes = await readFile(file)
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
  await chmod(file, 0o644)
  await writeFile(file, bytes)
}

describe('garbage collection', () => {
  it('is one at a time: what one marks the other may be sweeping', async () => {
    await using upstream = await startDemoUpstream()
    const { site } = await openWithClock(upstream)
    await using _ = site
    await site.sync('demo')

    const both = await Promise.allSettled([collect(site), collect(site)])

    const refused = both.filter((outcome) => outcome.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0]?.reason).toMatchObject({ code: 'LEASE_HELD' })
  })

  it('has its leases renewed, and hears of their loss, while it removes thousands of files', async () => {
    await using upstream = await startDemoUpstream()
    const turns: boolean[] = []
    const { site } = await openWithClock(upstream, (name) => {
      if (name !== 'blobs removed') return
      const index = turns.push(false) - 1
      setTimeout(() => (turns[index] = true), 0)
      // A slow disk.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3)
    })
    await using _ = site
    const blobs = Array.from({ length: 8 }, (_, index) => Buffer.from(`unwanted ${index}`))
    const received = blobs.map((bytes) =>
      site.context.pool.receiveWhole(bytes, { checksums: [], maxSize: 100 }),
    )
    await site.context.pool.keep(received)

    await collect(site)

    expect(turns).toHaveLength(8)
    expect(turns.slice(0, -1)).toEqual(Array(7).fill(true))
  })

  it('that prunes what is being exported fails the export', async () => {
    await using upstream = await startDemoUpstream()
    const { site, clock } = await openWithClock(upstream)
    await using _ = site
    await site.sync('demo')
    const catalog = afterFirstRead(site.context.catalog, async () => {
      showDemo(upstream, 'v2')
      await site.sync('demo')
      clock.now = new Date(clock.now.getTime() + 2 * day)
      await collect(site)
    })
    const target = path.join(site.folder, 'media')

    const exporting = exportSource({ ...site.context, catalog }, { source: 'demo', target }, signal)

    await expect(exporting).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps what the latest revision, a snapshot or a publication reaches, and takes the rest', async () => {
    await using upstream = await startDemoUpstream()
    const { site, clock } = await openWithClock(upstream)
    await using _ = site
    await site.sync('demo')
    await site.publish('demo')
    await site.snapshot('demo@before')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    const legacy = await digestOf(site, 'demo-legacy')
    const holds = () => site.context.pool.has(legacy)
    const next = () => {
      clock.now = new Date(clock.now.getTime() + 2 * day)
    }

    next()
    expect([(await collect(site)).removed, await holds()]).toEqual([0, true])
    await deleteSnapshot(site.context, { source: 'demo@before', dryRun: false }, signal)
    next()
    expect([(await collect(site)).removed, await holds()]).toEqual([0, true])
    await unpublish(site.context, { target: latest, dryRun: false }, signal)
    next()
    const planned = await collect(site, 0, true)
    expect(await holds()).toBe(true)
    const done = await collect(site)

    expect(planned).toEqual({ ...done, dryRun: true })
    expect(done).toMatchObject({ prunedRevisions: 1, dryRun: false })
    expect(done.removed).toBeGreaterThanOrEqual(2)
    expect(await holds()).toBe(false)
    expect(await collect(site)).toMatchObject({ removed: 0, prunedRevisions: 0 })
    expect(await site.publish('demo')).toMatchObject({ packages: 6 })
  })

  it('leaves alone for the grace period what was wanted last, and what was superseded', async () => {
    await using upstream = await startDemoUpstream()
    const { site, clock } = await openWithClock(upstream)
    await using _ = site
    await site.sync('demo')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    const legacy = await digestOf(site, 'demo-legacy')

    clock.now = new Date(clock.now.getTime() + 2 * day)
    const early = await collect(site, 3 * day)
    await site.context.catalog.write((writer) => writer.touchBlobs([legacy], clock.now))
    clock.now = new Date(clock.now.getTime() + 2 * day)
    const touched = await collect(site, 3 * day)
    const kept = await site.context.pool.has(legacy)
    clock.now = new Date(clock.now.getTime() + 2 * day)
    await collect(site, 3 * day)

    expect(early).toMatchObject({ removed: 0, prunedRevisions: 0 })
    expect(touched.removed).toBeGreaterThan(0)
    expect(kept).toBe(true)
    expect(await site.context.pool.has(legacy)).toBe(false)
  })

  it('leaves a revision alone for the grace period after it was superseded, however old its blobs are', async () => {
    await using upstream = await startDemoUpstream()
    const { site, clock } = await openWithClock(upstream)
    await using _ = site
    await site.sync('demo')
    const legacy = await digestOf(site, 'demo-legacy')
    clock.now = new Date(clock.now.getTime() + 30 * day)
    showDemo(upstream, 'v2')
    await site.sync('demo')

    clock.now = new Date(clock.now.getTime() + day)
    const foreseen = await collect(site, 3 * day, true)
    const early = await collect(site, 3 * day)
    const kept = await site.context.pool.has(legacy)
    clock.now = new Date(clock.now.getTime() + 3 * day)
    const late = await collect(site, 3 * day)

    expect([foreseen, early]).toMatchObject(Array(2).fill({ removed: 0, prunedRevisions: 0 }))
    expect(kept).toBe(true)
    expect(late).toMatchObject({ prunedRevisions: 1 })
    expect(await site.context.pool.has(legacy)).toBe(false)
  })

  it('never takes what a sync that is at work has found or fetched', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    const { context } = site
    const interfering = {
      ...context,
      reached: (moment: string) => {
        if (moment === 'files fetched') collecting = collect(site)
      },
    }
    let collecting = Promise.resolve<{ removed: number }>({ removed: -1 })
    const settings = configuredRepository(context.settings, 'demo')

    const result = await syncRepository(interfering, { settings, force: false, dryRun: false }, signal)
    const { removed } = await collecting

    expect(result).toMatchObject({ status: 'synced', packages: 6 })
    expect(removed).toBe(0)
    expect((await verifyPool(context, { repair: false, rate: null }, signal)).damaged).toEqual([])
  })

  it('stops before it removes anything where something needed is missing', async () => {
    await using upstream = await startDemoUpstream()
    const { site, clock } = await openWithClock(upstream)
    await using _ = site
    await site.sync('demo')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    const needed = await digestOf(site, 'demo-extra')
    const legacy = await digestOf(site, 'demo-legacy')
    await rm(blobPath(site, needed))
    clock.now = new Date(clock.now.getTime() + 2 * day)

    await expect(collect(site)).rejects.toMatchObject({ code: 'BLOB_MISSING', traits: { exit: 40 } })

    expect(await site.context.pool.has(legacy)).toBe(true)
  })
})

describe('a pool', () => {
  it('that has lost its marker is not touched: its disk may not be mounted', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    await rm(path.join(site.context.settings.storage.poolPath, 'chantal-pool.json'))

    await expect(site.reopen()).rejects.toMatchObject({ code: 'POOL_UNMARKED' })
  })

  it('of another catalog is refused', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    const before = await readdir(site.context.settings.storage.poolPath)

    await expect(
      site.reopen({ sections: { database: { url: 'sqlite:///data/other.db' } } }),
    ).rejects.toMatchObject({ code: 'POOL_UNMARKED' })
    expect(await readdir(path.join(site.folder, 'data', 'pool'))).toEqual(before)
  })
})

describe('verifying the pool', () => {
  const commonFile = 'Packages/demo-common-1.0-1.noarch.rpm'

  async function publishedSite(upstream: Upstream) {
    const { site } = await openWithClock(upstream)
    await site.sync('demo')
    await site.publish('demo')
    return { site, hello: await digestOf(site, 'demo-hello'), common: await digestOf(site, 'demo-common') }
  }

  async function damagedSite(upstream: Upstream) {
    const { site, hello, common } = await publishedSite(upstream)
    await site.snapshot('demo@before')
    await corrupt(site, hello)
    await rm(blobPath(site, common))
    return { site, hello, common }
  }

  it('names what is corrupt or missing, and what that affects', async () => {
    await using upstream = await startDemoUpstream()
    const { site, hello, common } = await damagedSite(upstream)
    await using _ = site

    const result = await verifyPool(site.context, { repair: false, rate: null }, signal)

    const affected = { snapshots: ['demo@before'], publications: [latest], repaired: false }
    expect([...result.damaged].sort((a, b) => (a.state < b.state ? -1 : 1))).toMatchObject([
      { digest: hello, state: 'corrupt', files: ['demo: Packages/demo-hello-1.0-1.noarch.rpm'], ...affected },
      {
        digest: common,
        state: 'missing',
        files: [`demo: ${commonFile}`],
        ...affected,
      },
    ])
    expect(damageError(result)).toMatchObject({
      code: 'BLOB_CORRUPT',
      hint: expect.stringContaining('--repair'),
    })
    expect(result.checked).toBe(Object.keys(demoFiles('v1')).length)
  })

  it('repairs from upstream, and gives published files the sound bytes', async () => {
    await using upstream = await startDemoUpstream()
    const { site } = await damagedSite(upstream)
    await using _ = site
    expect((await readAsClient(site.published(latest))).trouble).toHaveLength(1)

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result).toMatchObject({ repaired: 2 })
    expect(damageError(result)).toBeNull()
    expect((await verifyPool(site.context, { repair: false, rate: null }, signal)).damaged).toEqual([])
    expect(await readTree(site.published(latest))).toEqual(await readTree('assets/demo/v1'))
  })

  it('takes what a published tree still has from there, packages and metadata, and asks no upstream', async () => {
    await using upstream = await startDemoUpstream()
    const { site, common } = await publishedSite(upstream)
    await using _ = site
    const published = await readTree(site.published(latest))
    const before = upstream.requests.length
    const metadata = [...published].find(([name]) => name.includes('primary.xml'))?.[1] as Sha256
    await rm(blobPath(site, common))
    await rm(blobPath(site, metadata))

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result.damaged.map(({ digest, repaired }) => [digest, repaired])).toEqual(
      [common, metadata].toSorted().map((digest) => [digest, true]),
    )
    expect(upstream.requests.length).toBe(before)
    expect((await verifyPool(site.context, { repair: false, rate: null }, signal)).damaged).toEqual([])
    expect(await readTree(site.published(latest))).toEqual(published)
    const [pooled, shown] = [blobPath(site, common), path.join(site.published(latest), commonFile)]
    expect((await stat(shown)).ino).toBe((await stat(pooled)).ino)
  })

  it('takes what is corrupt from a published file of its own, and none that is not sound', async () => {
    await using upstream = await startDemoUpstream()
    const { site, hello, common } = await publishedSite(upstream)
    await using _ = site
    const shown = path.join(site.published(latest), commonFile)
    const bytes = await readFile(shown)
    await rm(shown)
    await writeFile(shown, bytes)
    for (const digest of [hello, common]) await corrupt(site, digest)
    for (const name of Object.keys(demoFiles('v1'))) upstream.remove(name)

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result.damaged.map(({ digest, repaired }) => [digest, repaired]).toSorted()).toEqual(
      [
        [hello, false],
        [common, true],
      ].toSorted(),
    )
    expect(await readFile(blobPath(site, common))).toEqual(bytes)
    expect(await site.context.pool.has(hello)).toBe(false)
  })

  it.each<[what: string, disturb: (file: string) => Promise<void> | void]>([
    // The superuser reads it all the same.
    ['that may not be read', (file) => chmod(file, 0o000)],
    ['that is gone by then', (file) => rm(file)],
    ['that is a folder by then', (file) => rm(file).then(() => mkdir(file))],
    [
      'that is a link by then',
      (file) => rename(file, `${file}.old`).then(() => symlink(`${file}.old`, file)),
    ],
    ['that is a pipe by then', (file) => rm(file).then(() => void execFileSync('mkfifo', [file]))],
  ])('passes over a published file %s, and asks upstream', async (_, disturb) => {
    await using upstream = await startDemoUpstream()
    const { site, common } = await publishedSite(upstream)
    await using _site = site
    const shown = path.join(site.published(latest), commonFile)
    const bytes = await readFile(shown)
    await rm(blobPath(site, common))
    await using sources = await BlobSources.find(site.context, [{ digest: common, size: bytes.byteLength }])
    await disturb(shown)

    const got = await sources.fetch({ digest: common, size: bytes.byteLength }, signal)

    if (typeof got === 'string') throw new Error(got)
    await site.context.pool.keep([got])
    expect(await readFile(blobPath(site, common))).toEqual(bytes)
  })

  it('repairs packages that upstream has at another address', async () => {
    await using other = await startUpstream({ files: demoFiles('v1') })
    const files = { ...demoFiles('v1') }
    editPrimary(files, (text) =>
      text.replace('href="Packages/demo-hello', `xml:base="${other.url}" href="Packages/demo-hello`),
    )
    const moved = 'Packages/demo-hello-1.0-1.noarch.rpm'
    await using upstream = await startDemoUpstream({ files })
    upstream.remove(moved)
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
    })
    await site.sync('demo')
    const damaged = await digestOf(site, 'demo-hello')
    await rm(blobPath(site, damaged))

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result.damaged).toMatchObject([{ digest: damaged, repaired: true, reason: null }])
    expect(other.requestsFor(moved)).toHaveLength(2)
  })

  it('makes published folders that are gone, and goes on past what stands in the place of a package', async () => {
    await using upstream = await startDemoUpstream()
    const { site, hello, common } = await publishedSite(upstream)
    await using _ = site
    const folder = site.published('.shelves/demo/1/Packages')
    await rm(folder, { recursive: true })
    await mkdir(path.join(site.published('.shelves/demo/1'), commonFile), { recursive: true })
    for (const digest of [hello, common]) await rm(blobPath(site, digest))

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result).toMatchObject({
      repaired: 2,
      unreplaced: [
        { path: `.shelves/demo/1/${commonFile}`, reason: expect.stringContaining('in its place') },
      ],
    })
    expect(await readdir(folder)).toContain('demo-hello-1.0-1.noarch.rpm')
    expect(damageError(result)).toMatchObject({
      code: 'CATALOG_CORRUPT',
      message: expect.stringContaining(commonFile),
      hint: expect.stringContaining('db verify'),
    })
  })

  it('takes nothing from a shelf whose list is damaged, says so, and asks upstream', async () => {
    await using upstream = await startDemoUpstream()
    const { site, common } = await publishedSite(upstream)
    await using _ = site
    const list = site.published('.shelves/demo/1.manifest')
    await writeFile(list, 'no list')
    await rm(blobPath(site, common))

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    const reason = `damaged manifest: ${list}`
    expect(result).toMatchObject({ repaired: 1, unreplaced: [{ path: '.shelves/demo', reason }] })
    expect(await site.context.pool.check(common)).toMatchObject({ state: 'sound' })
    expect(site.warnings('PUBLICATION_UNREADABLE')).toEqual([
      `no copies are taken from .shelves/demo: ${reason}`,
    ])
    expect(damageError(result)).toMatchObject({
      code: 'CATALOG_CORRUPT',
      message: expect.stringContaining(list),
    })
  })

  it('takes what it can from other published trees where the list of one is damaged', async () => {
    await using upstream = await startDemoUpstream()
    const { site, common } = await publishedSite(upstream)
    await using _ = site
    await site.snapshot('demo@before')
    await site.publish('demo@before')
    const generations = site.published('repositories/demo/.generations')
    const manifest = (await readdir(generations)).find((name) => name.endsWith('.manifest')) ?? ''
    await writeFile(path.join(generations, manifest), 'no list')
    const metadata = [...(await readTree(site.published(latest)))].find(([name]) => name.includes('primary'))
    const before = upstream.requests.length
    for (const digest of [common, metadata?.[1] as Sha256]) await rm(blobPath(site, digest))

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result).toMatchObject({ repaired: 2, unreplaced: [{ path: latest }] })
    expect(site.warnings('PUBLICATION_UNREADABLE')).toEqual([expect.stringContaining(manifest)])
    expect(upstream.requests.length).toBe(before)
  })

  it('opens each upstream once, whatever is to be repaired from it', async () => {
    await using upstream = await startDemoUpstream()
    const { site } = await damagedSite(upstream)
    await using _ = site
    await rm(path.join(site.published(latest), commonFile))
    let opened = 0
    const { downloader } = site.context
    const counting = {
      ...downloader,
      open: (...terms: Parameters<typeof downloader.open>) => {
        opened += 1
        return downloader.open(...terms)
      },
    }

    const result = await verifyPool(
      { ...site.context, downloader: counting },
      { repair: true, rate: null },
      signal,
    )

    expect([result.repaired, opened]).toEqual([2, 1])
  })

  it('says what cannot be repaired, and why', async () => {
    await using upstream = await startDemoUpstream()
    const { site, common } = await damagedSite(upstream)
    await using _ = site
    await rm(path.join(site.published(latest), commonFile))
    upstream.remove(commonFile)

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)

    expect(result.repaired).toBe(1)
    expect(result.damaged.filter(({ repaired }) => !repaired)).toMatchObject([
      { digest: common, snapshots: ['demo@before'], publications: [latest] },
    ])
    expect(result.damaged.find(({ digest }) => digest === common)?.reason).toContain('404')
    expect(damageError(result)).toMatchObject({
      code: 'BLOB_MISSING',
      hint: expect.not.stringContaining('--repair'),
      details: { damaged: 1 },
    })
  })

  it('asks for another upload of what no upstream has', async () => {
    await using site = await openSite({ repositories: [{ id: 'tools', type: 'rpm', mode: 'hosted' }] })
    const upload = async () => {
      const wanted = { repository: 'tools', paths: ['tests/fixtures/rpm-headers'], recursive: false }
      const files = await findPackageFiles(site.context, wanted, signal)
      const terms = { repository: 'tools', suite: null, component: null, force: false }
      return uploadPackages(site.context, { ...terms, files }, signal)
    }
    await upload()
    const odd = await digestOf(site, 'chantal-odd')
    await rm(blobPath(site, odd))

    const result = await verifyPool(site.context, { repair: true, rate: null }, signal)
    await upload()

    expect(result.damaged).toMatchObject([{ digest: odd, repaired: false, reason: 'tools: it was uploaded' }])
    expect(damageError(result)?.hint).toContain('Upload again')
    const after = await verifyPool(site.context, { repair: false, rate: null }, signal)
    expect(damageError(after)).toBeNull()
  })
})
