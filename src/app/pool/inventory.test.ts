import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { demoFiles, showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import type { Sha256 } from '../../core/digest.ts'
import { openContext } from '../../open-context.ts'
import { adoptPool } from './adopt-pool.ts'
import { collectGarbage } from './collect-garbage.ts'
import { missingBlobs, missingError } from './missing-blobs.ts'
import { orphanedBlobs } from './orphaned-blobs.ts'
import { damageError, verifyPool } from './verify-pool.ts'

const signal = new AbortController().signal

async function openSynced() {
  const parts = new AsyncDisposableStack()
  const upstream = parts.use(await startDemoUpstream())
  const site = parts.use(await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] }))
  await site.sync('demo')
  return { site, upstream, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

const poolPath = (site: Site) => site.context.settings.storage.poolPath
const marker = (site: Site) => path.join(poolPath(site), 'chantal-pool.json')
const fileOf = (site: Site, digest: string) => path.join(poolPath(site), 'sha256', digest.slice(0, 2), digest)

async function digestOf(site: Site, name: string): Promise<Sha256> {
  const [found] = await site.context.catalog.read((reader) => reader.searchPackages({ pattern: name }, 1))
  if (!found) throw new Error(`no package ${name}`)
  return found.package.files[0].digest
}

/** A file that no row names, as a process that was killed leaves it. */
async function addUnnamed(site: Site): Promise<string> {
  const bytes = `left behind ${randomUUID()}`
  await using blob = site.context.pool.receiveWhole(Buffer.from(bytes), { checksums: [], maxSize: 1000 })
  await site.context.pool.keep([blob])
  return blob.digest
}

describe('orphaned blobs', () => {
  it('are those without a row, and those that no root reaches any more', async () => {
    await using synced = await openSynced()
    const { site, upstream } = synced
    const orphaned = () => orphanedBlobs(site.context, {}, signal)
    expect(await orphaned()).toEqual([])
    const legacy = await digestOf(site, 'demo-legacy')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    const unnamed = await addUnnamed(site)

    const found = await orphaned()

    expect(found.map(({ digest }) => digest)).toEqual(found.map(({ digest }) => digest).sort())
    expect(found.find(({ digest }) => digest === unnamed)).toMatchObject({ state: 'unnamed' })
    expect(found.find(({ digest }) => digest === legacy)).toMatchObject({ state: 'unreached' })
    expect(found.find(({ digest }) => digest === legacy)?.sizeBytes).toBeGreaterThan(100)
  })

  it('are what a collection without grace removes', async () => {
    await using upstream = await startDemoUpstream()
    const later = new Date(Date.now() + 3_600_000)
    const clock = { now: new Date() }
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
      now: () => clock.now,
    })
    await site.sync('demo')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    await addUnnamed(site)
    clock.now = later

    const found = await orphanedBlobs(site.context, {}, signal)
    const collected = await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)

    expect([collected.removed, collected.freedBytes]).toEqual([
      found.length,
      found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ])
    expect(await orphanedBlobs(site.context, {}, signal)).toEqual([])
  })
})

describe('missing blobs', () => {
  it('are needed and not there, with all that needs them', async () => {
    await using synced = await openSynced()
    const { site, upstream } = synced
    await site.snapshot('demo@before')
    await site.publish('demo@before')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    const [hello, legacy, extra] = [
      await digestOf(site, 'demo-hello'),
      await digestOf(site, 'demo-legacy'),
      await digestOf(site, 'demo-extra'),
    ]
    expect(await missingBlobs(site.context, {}, signal)).toEqual([])
    for (const digest of [hello, legacy, extra]) await rm(fileOf(site, digest))

    const missing = await missingBlobs(site.context, {}, signal)

    const publications = ['repositories/demo/snapshots/before']
    expect(Object.fromEntries(missing.map(({ digest, sizeBytes, ...facts }) => [digest, facts]))).toEqual({
      [hello]: {
        files: ['demo: Packages/demo-hello-1.0-1.noarch.rpm'],
        snapshots: ['demo@before'],
        publications,
      },
      [legacy]: {
        files: ['demo: Packages/demo-legacy-1.0-1.noarch.rpm'],
        snapshots: ['demo@before'],
        publications,
      },
      [extra]: { files: ['demo: Packages/demo-extra-1.0-1.noarch.rpm'], snapshots: [], publications: [] },
    })
    expect(missingError(missing)).toMatchObject({ code: 'BLOB_MISSING', details: { missing: 3 } })
    expect(missingError([])).toBeNull()
  })
})

describe('verifying the pool', () => {
  const files = Object.keys(demoFiles('v1')).length
  /** Ends a run once so many blobs are read. */
  async function interruptedAfter(site: Site, blobs: number): Promise<void> {
    const interruption = new AbortController()
    const reporter = {
      report: (event: { readonly type: string; readonly blobs?: number }) => {
        if (event.type === 'verify.advanced' && event.blobs === blobs) interruption.abort(new Error('stop'))
      },
    }
    const verifying = verifyPool(
      { ...site.context, reporter },
      { repair: false, rate: null, resume: true },
      interruption.signal,
    )
    await expect(verifying).rejects.toThrow('stop')
  }
  const verify = (site: Site, resume: boolean, repair = false) =>
    verifyPool(site.context, { repair, rate: null, resume }, signal)

  it('goes on where it was stopped, and from the start once it was through', async () => {
    await using synced = await openSynced()
    const { site } = synced
    await interruptedAfter(site, 3)
    await interruptedAfter(site, 5)
    await site.reopen()

    const resumed = await verify(site, true)
    const again = await verify(site, true)

    expect(resumed).toMatchObject({ checked: files - 5, resumed: { checked: 5 }, damaged: [] })
    expect(again).toMatchObject({ checked: files, resumed: null })
    expect(resumed.checkedBytes + (resumed.resumed?.checkedBytes ?? 0)).toBe(again.checkedBytes)
  })

  it('begins anew where that is asked for', async () => {
    await using synced = await openSynced()
    const { site } = synced
    await interruptedAfter(site, 3)

    expect(await verify(site, false)).toMatchObject({ checked: files, resumed: null })
    expect(await verify(site, true)).toMatchObject({ checked: files, resumed: null })
  })

  it('remembers what the run before found damaged, and repairs it', async () => {
    await using synced = await openSynced()
    const { site } = synced
    const first = (await readdir(path.join(poolPath(site), 'sha256'), { recursive: true }))
      .map((name) => path.basename(name))
      .filter((name) => name.length === 64)
      .sort()[0]
    if (!first) throw new Error('an empty pool')
    await rm(fileOf(site, first))
    await interruptedAfter(site, 2)

    const resumed = await verify(site, true, true)

    expect(resumed.damaged).toMatchObject([{ digest: first, state: 'missing', repaired: true }])
    expect(damageError(resumed)).toBeNull()
    expect(await missingBlobs(site.context, {}, signal)).toEqual([])
  })

  it('begins anew after a note that it cannot read', async () => {
    await using synced = await openSynced()
    const { site } = synced
    await site.context.catalog.write((writer) => writer.saveNote('pool verify', { after: 'nonsense' }))

    expect(await verify(site, true)).toMatchObject({ checked: files, resumed: null })
  })
})

describe('adopting a pool', () => {
  const openForAdoption = (site: Site) => {
    const { settings } = site.context
    return openContext(settings, {
      reporter: { report: () => {} },
      now: () => new Date(),
      version: 'test',
      needs: 'adoption',
    })
  }

  it('whose marker is lost lets the catalog use it again', async () => {
    await using synced = await openSynced()
    const { site } = synced
    const { catalog } = site.context
    await rm(marker(site))
    {
      await using context = await openForAdoption(site)
      expect(await adoptPool(context, { dryRun: false }, signal)).toMatchObject({
        previous: null,
        catalog: catalog.id,
        unknownBlobs: 0,
        missingBlobs: 0,
        adopted: true,
      })
    }
    await site.reopen()
    expect(await site.sync('demo')).toMatchObject({ status: 'unchanged' })
    await rm(marker(site))
    await expect(site.reopen()).rejects.toMatchObject({
      code: 'POOL_UNMARKED',
      hint: expect.stringContaining('chantal pool adopt'),
    })
  })

  it('tells whose it is and what would become of it before it is done', async () => {
    await using synced = await openSynced()
    const { site } = synced
    const { catalog } = site.context
    const other = randomUUID()
    const unnamed = await addUnnamed(site)
    await rm(fileOf(site, await digestOf(site, 'demo-hello')))
    await writeFile(marker(site), JSON.stringify({ format: 1, catalog: other }))
    await using context = await openForAdoption(site)

    const planned = await adoptPool(context, { dryRun: true }, signal)
    const markerThen = await readFile(marker(site), 'utf8')
    const done = await adoptPool(context, { dryRun: false }, signal)
    const again = await adoptPool(context, { dryRun: false }, signal)

    expect(planned).toMatchObject({
      previous: other,
      catalog: catalog.id,
      unknownBlobs: 1,
      missingBlobs: 1,
      adopted: false,
    })
    expect(markerThen).toContain(other)
    expect(done).toEqual({ ...planned, adopted: true })
    expect(again).toMatchObject({ previous: catalog.id, adopted: false })
    expect(await readFile(marker(site), 'utf8')).toContain(catalog.id)
    expect(await site.context.pool.has(unnamed as Sha256)).toBe(true)
    await site.reopen()
  })

  it('makes no folder where there is none to look at', async () => {
    await using synced = await openSynced()
    const { site } = synced
    await rm(poolPath(site), { recursive: true })
    await using context = await openForAdoption(site)

    const planned = await adoptPool(context, { dryRun: true }, signal)

    expect(planned).toMatchObject({ previous: null, blobs: 0, adopted: false })
    expect(planned.missingBlobs).toBeGreaterThan(0)
    await expect(readdir(poolPath(site))).rejects.toThrow('ENOENT')
  })
})

describe('a pool of unknown owner', () => {
  it('is not taken by a new catalog while it holds blobs: the next collection would remove them all', async () => {
    await using site = await openSite({ repositories: [] })
    const { settings } = site.context
    const digest = 'ab'.padEnd(64, '0')
    await rm(marker(site))
    await mkdir(path.dirname(fileOf(site, digest)), { recursive: true })
    await writeFile(fileOf(site, digest), '')

    await expect(site.reopen()).rejects.toMatchObject({
      code: 'POOL_UNMARKED',
      details: { pool: settings.storage.poolPath },
    })
  })
})
