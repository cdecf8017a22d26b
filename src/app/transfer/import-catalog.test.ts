import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import { collectGarbage } from '../pool/collect-garbage.ts'
import { verifyPool } from '../pool/verify-pool.ts'
import { type ImportCatalogOutput, refusal } from './import-catalog.ts'
import {
  collect,
  exported,
  imported,
  linesOf,
  openSource,
  reachable,
  repositoriesAt,
} from './transfer.test-support.ts'

const signal = new AbortController().signal
const latest = 'repositories/generated/latest'

describe('an import', () => {
  let upstream: Upstream
  let source: Site
  beforeAll(async () => {
    upstream = await startDemoUpstream()
    source = await openSource(upstream)
  })
  afterAll(async () => {
    await source[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  })

  it('beside the pool of a lost catalog makes everything as it was', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSource(upstream)
    await site.publish('generated')
    const tree = await readTree(site.published(latest))
    const bytes = await exported(site)
    const { id } = site.context.catalog
    await loseCatalog(site)

    const result = await imported(site, bytes)

    expect(result).toMatchObject({ catalog: id, isCatalogTakenOver: true, missingBlobs: 0 })
    await site.publish('generated', { force: true })
    expect([...(await readTree(site.published(latest))).keys()]).toEqual(
      expect.arrayContaining([...tree.keys()].filter((name) => name.endsWith('.rpm'))),
    )
    expect((await site.sync('mirrored')).status).toBe('unchanged')
    const { removed } = await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
    expect(removed).toBe(0)
  })

  it('is refused beside the pool of a third catalog, and changes nothing', async () => {
    await using other = await openSite({ repositories: repositoriesAt(upstream) })
    await other.sync('mirrored')
    const bytes = await exported(source)
    await loseCatalog(other)

    const importing = imported(other, bytes)

    await expect(importing).rejects.toMatchObject({ code: 'POOL_UNMARKED' })
  })

  it('leaves equal repositories alone, refuses others of the same id, and adds the rest', async () => {
    await using target = await openSite({ repositories: repositoriesAt(upstream) })
    await imported(target, await exported(source, ['mirrored']))
    const bytes = await exported(source)

    const first = await imported(target, bytes)
    const again = await imported(target, bytes)
    showDemo(upstream, 'v1')
    await target.sync('mirrored')
    showDemo(upstream, 'v2')
    const moved = await imported(target, bytes)

    const statuses = ({ repositories }: ImportCatalogOutput) => repositories.map(({ status }) => status)
    expect([first, again, moved].map(statuses)).toEqual([
      ['added', 'unchanged'],
      ['unchanged', 'unchanged'],
      ['unchanged', 'refused'],
    ])
    expect([first, again, moved].map(({ viewSnapshots: [frozen] }) => frozen?.status)).toEqual([
      'added',
      'unchanged',
      'refused',
    ])
    expect(refusal(again)).toBeNull()
    expect(refusal(moved)).toMatchObject({
      code: 'ALREADY_EXISTS',
      details: { repositories: ['mirrored'], view_snapshots: ['both@before'] },
    })
    const record = await target.context.catalog.read((reader) => reader.repositories())
    expect(record.map((repository) => repository.latest?.number)).toEqual([2, 3])
  })

  it('refuses a snapshot of a view where there is another of that name', async () => {
    await using target = await openSite({ repositories: repositoriesAt(upstream) })
    const bytes = await exported(source)
    await imported(target, bytes)
    await target.context.catalog.write((writer) => writer.pinViewSnapshot('both', 'before', false))

    const result = await imported(target, bytes)

    expect(result.viewSnapshots).toEqual([{ source: 'both@before', status: 'refused' }])
    expect(refusal(result)?.code).toBe('ALREADY_EXISTS')
  })

  it('says how much the pool lacks; collecting garbage waits until it is fetched', async () => {
    await using source = await openSite({ repositories: repositoriesAt(upstream) })
    await source.sync('generated')
    await using target = await openSite({ repositories: repositoriesAt(upstream) })

    const result = await imported(target, await exported(source))
    const collecting = collectGarbage(target.context, { graceMs: 0, dryRun: false }, signal)

    const needed = await reachable(source)
    expect(result).toMatchObject({
      missingBlobs: needed.length,
      missingBytes: needed.reduce((sum, { size }) => sum + size, 0),
    })
    await expect(collecting).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    await expect(target.publish('generated')).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    const { repaired } = await verifyPool(target.context, { repair: true, rate: null }, signal)
    expect(repaired).toBe(needed.length)
    expect((await target.publish('generated')).packages).toBe(6)
  })

  it('that fails midway leaves whole what came before, and nothing of the rest', async () => {
    await using target = await openSite({ repositories: repositoriesAt(upstream) })
    const lines = linesOf(await exported(source))
    const second = lines.findIndex((line) => line.includes('"id":"mirrored"'))
    const firstPackage = lines.findIndex((line, index) => index > second && line.includes('"type":"package"'))

    const importing = imported(target, Buffer.from(lines.slice(0, firstPackage + 2).join('\n')))

    await expect(importing).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
    const seen = await target.context.catalog.read(async (reader) => ({
      repositories: (await reader.repositories()).map(({ id }) => id),
      imports: await reader.openImports(),
      blobs: (await reader.counts()).blobs,
    }))
    const needed = await reachable(target)
    expect(seen).toEqual({ repositories: ['generated'], imports: [], blobs: needed.length })
    const again = await imported(target, Buffer.from(lines.join('\n')))
    expect(again.repositories.map(({ status }) => status)).toEqual(['unchanged', 'added'])
  })

  it('is cleared up by garbage collection where its process died, and not while it is at work', async () => {
    await using target = await openSite({ repositories: repositoriesAt(upstream) })
    const { catalog } = target.context
    const [repository] = await source.context.catalog.read((reader) => reader.repositories())
    if (!repository) throw new Error('no repository')
    const packages = await source.context.catalog.read((reader) =>
      collect(reader.packageIntervals(repository.id)),
    )
    await catalog.write(async (writer) => {
      await writer.addBlobs(
        packages.flatMap((pkg) => pkg.files),
        new Date(),
      )
      await writer.importPackages(await writer.openImport(repository), packages)
    })
    const leases = { mode: 'exclusive', purpose: 'test', waitMs: 0, signal } as const
    const lease = await catalog.acquire({ resource: `repository:${repository.id}`, ...leases })

    const during = collectGarbage(target.context, { graceMs: 0, dryRun: false }, signal)
    await expect(during).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    await lease[Symbol.asyncDispose]()
    await collectGarbage(target.context, { graceMs: 0, dryRun: false }, signal)

    const { blobs } = await catalog.read((reader) => reader.counts())
    expect(blobs).toBe(0)
    expect(await catalog.read((reader) => reader.openImports())).toEqual([])
  })
})

/** The database is gone; the pool and what is published are still there. */
async function loseCatalog(site: Site): Promise<void> {
  const { database } = site.context.settings
  if (database.kind !== 'sqlite') throw new Error('SQLite alone')
  for (const end of ['', '-wal', '-shm']) await rm(`${database.file}${end}`, { force: true })
}
