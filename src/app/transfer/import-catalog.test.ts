import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'
import { parseRelativePath } from '../../core/path.ts'
import { flawError, verifyDatabase } from '../database/verify-database.ts'
import { collectGarbage } from '../pool/collect-garbage.ts'
import { verifyPool } from '../pool/verify-pool.ts'
import { unpublish } from '../publish/unpublish.ts'
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

  it('leaves what is published to be published again, or taken away', async () => {
    await using moved = await openMoved()
    const { site } = moved
    const other = 'repositories/mirrored/latest'
    const before = await moved.verify()
    const tree = await readTree(site.published(other))

    await site.publish('generated')
    const halfway = await moved.verify()
    const planned = await unpublish(site.context, { target: other, dryRun: true }, signal)
    const stillThere = await readTree(site.published(other))
    const done = await unpublish(site.context, { target: other, dryRun: false }, signal)
    const after = await moved.verify()

    const said = `is published and unknown to the catalog: publish it again, or run \`chantal publish unpublish ${other}\``
    expect(before.flaws.map(({ subject }) => subject)).toEqual([latest, other])
    expect(halfway.flaws.map(({ subject, message }) => [subject, message])).toEqual([[other, said]])
    expect(flawError(halfway)?.hint).toContain('chantal publish unpublish')
    expect(planned).toEqual({ path: other, generations: 1, removed: false })
    expect(stillThere).toEqual(tree)
    expect(done).toEqual({ path: other, generations: 1, removed: true })
    await expect(readTree(site.published(other))).rejects.toThrow('ENOENT')
    await expect(unpublish(site.context, { target: other, dryRun: true }, signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect([after.flaws, flawError(after)]).toEqual([[], null])
  })

  it('lets go after the grace period what the other catalog published, in nobody’s place', async () => {
    await using moved = await openMoved()
    const { site, pass } = moved
    await site.publish('generated')
    const first = await moved.generations()
    pass(0.5)
    await site.publish('generated', { force: true })
    const early = await moved.generations()

    pass(2)
    await site.publish('mirrored')
    await site.publish('generated', { force: true })
    const late = await moved.generations()

    expect([first.found.length, first.known.length]).toEqual([3, 1])
    expect(early.found).toEqual(expect.arrayContaining([...early.known, first.found[1]]))
    expect(late.found.toSorted()).toEqual(late.known.toSorted())
  })

  it('lets a repair drop what the other catalog published, once the grace period is over', async () => {
    await using moved = await openMoved()
    const { site, pass } = moved
    for (const id of ['mirrored', 'generated']) await site.publish(id)

    const tooSoon = await moved.verify(true)
    pass(2)
    const found = await moved.verify()
    const repaired = await moved.verify(true)
    const { found: left, known } = await moved.generations()

    expect([tooSoon.flaws, found.flaws]).toEqual([[], []])
    expect(repaired.flaws).toEqual(
      expect.arrayContaining([expect.objectContaining({ subject: latest, repaired: true })]),
    )
    expect(flawError(repaired)).toBeNull()
    expect(left).toEqual(known)
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
/** Two paths that were published before their catalog was made anew from its export, on a clock that is set. Two generations are kept, for an hour at least. */
async function openMoved() {
  const clock = { now: new Date('2026-11-23T10:00:00Z') }
  const upstream = await startDemoUpstream()
  const site = await openSite({
    repositories: repositoriesAt(upstream),
    sections: { publish: { keep_generations: 2, grace: '1h' } },
    now: () => clock.now,
  })
  const pass = (hours: number) => {
    clock.now = new Date(clock.now.getTime() + hours * 3_600_000)
  }
  for (const id of ['mirrored', 'generated']) {
    await site.sync(id)
    await site.publish(id)
  }
  pass(2)
  await site.publish('generated', { force: true })
  const bytes = await exported(site)
  await loseCatalog(site)
  await imported(site, bytes)
  return {
    site,
    pass,
    verify: (repair = false) => verifyDatabase(site.context, { deep: false, repair }, signal),
    /** On disk, and those of the catalog. */
    generations: async () => ({
      found: (await site.context.publications.generations(parseRelativePath(latest))).map(({ name }) => name),
      known: (await site.context.catalog.read((reader) => reader.generations(parseRelativePath(latest)))).map(
        ({ generation }) => generation,
      ),
    }),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

async function loseCatalog(site: Site): Promise<void> {
  const { database } = site.context.settings
  if (database.kind !== 'sqlite') throw new Error('SQLite alone')
  for (const end of ['', '-wal', '-shm']) await rm(`${database.file}${end}`, { force: true })
}
