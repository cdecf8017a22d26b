import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { demoFiles, demoKey, showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { readAsClient } from '../../../tests/support/rpm-client.ts'
import { openSite, readTree, type Site, signingKey } from '../../../tests/support/site.ts'
import { copySnapshot } from '../snapshot/create-snapshot.ts'
import { exportSource } from './export-source.ts'
import { listPublications } from './list-publications.ts'
import { publishSource } from './publish-source.ts'
import { releasePublication, rollBack } from './roll-back.ts'
import { unpublish } from './unpublish.ts'
import { warnAboutFailedSync } from './warn-about-failed-sync.ts'

const signal = new AbortController().signal
const latest = 'repositories/demo/latest'

const packagesAt = async (site: Site, published: string) => {
  const { trouble, packages } = await readAsClient(site.published(published))
  expect(trouble).toEqual([])
  return [...packages].sort()
}
const packagesOf = (version: 'v1' | 'v2') =>
  Object.keys(demoFiles(version))
    .filter((name) => name.endsWith('.rpm'))
    .sort()

/** Both states are synced and published, one after the other. */
async function publishedTwice(more: Readonly<Record<string, unknown>> = {}) {
  const upstream = await startDemoUpstream()
  const site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, ...more }] })
  await site.sync('demo')
  const first = await site.publish('demo')
  await site.snapshot('demo@before')
  showDemo(upstream, 'v2')
  await site.sync('demo')
  const second = await site.publish('demo')
  return {
    upstream,
    site,
    first,
    second,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

describe('publishing', () => {
  it('switches to nothing after somebody took the path over, as from a process that was stopped for a while', async () => {
    await using upstream = await startDemoUpstream()
    let isTakenOver = false
    const folder: { path: string } = { path: '' }
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
      reached: (name) => {
        if (!isTakenOver || name !== 'generation announced') return
        const database = new DatabaseSync(path.join(folder.path, 'data/chantal.db'))
        database.exec("delete from lease where resource like 'publication:%'")
        database.close()
      },
    })
    folder.path = site.folder
    await site.sync('demo')
    const before = await site.publish('demo')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    isTakenOver = true

    await expect(site.publish('demo')).rejects.toMatchObject({ code: 'LEASE_LOST' })

    expect(await packagesAt(site, latest)).toEqual(packagesOf('v1'))
    isTakenOver = false
    expect((await site.publish('demo')).generation > before.generation).toBe(true)
    expect(await packagesAt(site, latest)).toEqual(packagesOf('v2'))
  })

  it('makes no generation of what is published already, unless forced', async () => {
    await using world = await publishedTwice()

    const again = await world.site.publish('demo')
    const forced = await world.site.publish('demo', { force: true })

    expect(again).toMatchObject({ unchanged: true, generation: world.second.generation, packageLinks: 0 })
    expect(forced).toMatchObject({ unchanged: false, packages: 6, packageLinks: 0 })
    expect(forced.generation > world.second.generation).toBe(true)
  })

  it('repeats the tree of a revision at a second path, equal to one that is made anew', async () => {
    await using world = await publishedTwice({ mode: 'filtered' })
    const { site } = world
    await site.snapshot('demo@now')
    await site.snapshot('demo@anew')

    const repeated = await site.publish('demo@now')
    await site.publish('demo@anew', { force: true })

    const contentOf = async (name: string) => {
      const tree = await readTree(site.published(`repositories/demo/snapshots/${name}`))
      return [...tree].filter(([path]) => path !== 'repodata/repomd.xml')
    }
    expect(await contentOf('now')).toEqual(await contentOf('anew'))
    expect(repeated).toMatchObject({ packages: 6, packageLinks: 0, files: world.second.files })
    expect(await packagesAt(site, 'repositories/demo/snapshots/now')).toEqual(packagesOf('v2'))
  })

  it('gives the last good revision after a sync that failed, and says so', async () => {
    await using world = await publishedTwice()
    world.upstream.behave('repodata/repomd.xml', { kind: 'status', status: 403 })
    expect((await world.site.trySync('demo')).status).toBe('failed')

    const result = await world.site.publish('demo', { force: true })
    await warnAboutFailedSync(world.site.context, { source: 'demo' }, signal)

    expect(result.sources).toEqual(['demo'])
    expect(await packagesAt(world.site, latest)).toEqual(packagesOf('v2'))
    expect(world.site.warnings('LAST_SYNC_FAILED')[0]).toContain('revision 2')
  })

  it('of what was never synced is not found', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })

    await expect(site.publish('demo')).rejects.toMatchObject({ code: 'NOT_FOUND', traits: { exit: 3 } })
    await expect(site.publish('dmeo')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'Did you mean "demo"?',
    })
    await expect(site.publish('demo@none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('moves a name between snapshots', async () => {
    await using world = await publishedTwice()
    const { site } = world
    await site.snapshot('demo@after')
    const as = (source: string) => publishSource(site.context, { source, as: 'stable', force: false }, signal)
    const stable = 'repositories/demo/snapshots/stable'

    const old = await as('demo@before')
    const packagesBefore = await packagesAt(site, stable)
    const moved = await as('demo@after')

    expect([old.path, moved.path]).toEqual([stable, stable])
    expect(packagesBefore).toEqual(packagesOf('v1'))
    expect(await packagesAt(site, stable)).toEqual(packagesOf('v2'))
    await expect(as('demo')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  it('of a moment gives what was latest then', async () => {
    let now = new Date('2026-11-01T10:00:00Z')
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
      now: () => now,
    })
    await site.sync('demo')
    now = new Date('2026-11-02T10:00:00Z')
    showDemo(upstream, 'v2')
    await site.sync('demo')

    const result = await site.publish('demo@20261102T090000Z')

    expect(result.path).toBe('repositories/demo/at/20261102T090000Z')
    expect(await packagesAt(site, result.path)).toEqual(packagesOf('v1'))
    await expect(site.publish('demo@20261031T000000Z')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of a moment that has not come is refused: another revision may be latest then', async () => {
    const now = new Date('2026-11-01T10:00:00.500Z')
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
      now: () => now,
    })
    await site.sync('demo')

    await expect(site.publish('demo@20261101T100001Z')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: 'demo@20261101T100001Z has not come yet: it is 2026-11-01T10:00:00.500Z',
    })

    expect(await listPublications(site.context, {}, signal)).toEqual([])
  })

  it('of an old snapshot is verbatim still, though the repository is generated by now', async () => {
    await using world = await publishedTwice()
    const key = await signingKey()
    await world.site.reopen({
      repositories: [
        {
          id: 'demo',
          type: 'rpm',
          feed: world.upstream.url,
          verify: { keys: [demoKey] },
          filters: { patterns: { include: ['common', 'hello'] } },
          signing: { key_file: 'key.asc' },
        },
      ],
      files: { 'key.asc': key.privateKey },
    })
    await world.site.sync('demo')

    const frozen = await world.site.publish('demo@before')
    const today = await world.site.publish('demo')

    expect(frozen.signedBy).toBeNull()
    // Packages of other states stand on the same shelf; metadata does not list them.
    expect(Object.fromEntries(await readTree(world.site.published(frozen.path)))).toMatchObject(
      Object.fromEntries(await readTree('assets/demo/v1')),
    )
    expect(await packagesAt(world.site, frozen.path)).toEqual(packagesOf('v1'))
    expect(today).toMatchObject({ packages: 2, signedBy: key.fingerprint })
  })
})

describe('rolling back', () => {
  it('gives clients the state before as a newer generation, and holds the path until it is released', async () => {
    await using world = await publishedTwice()
    const { site } = world

    const back = await site.rollBack(latest)

    expect(await packagesAt(site, latest)).toEqual(packagesOf('v1'))
    expect(back.generation > world.second.generation).toBe(true)
    await expect(site.publish('demo')).rejects.toMatchObject({ code: 'PATH_HELD', traits: { exit: 12 } })
    expect(await packagesAt(site, latest)).toEqual(packagesOf('v1'))
    expect((await listPublications(site.context, {}, signal))[0]?.heldSince).toBeInstanceOf(Date)
    expect(await releasePublication(site.context, { path: latest }, signal)).toEqual({
      path: latest,
      wasHeld: true,
    })
    await site.publish('demo')
    expect(await packagesAt(site, latest)).toEqual(packagesOf('v2'))
  })

  it('goes to the generation that is named, and to no other', async () => {
    await using world = await publishedTwice()
    const { site, first } = world
    await site.publish('demo', { force: true })

    const named = await rollBack(site.context, { path: latest, generation: first.generation }, signal)

    expect(named.sources).toEqual(['demo'])
    expect(await packagesAt(site, latest)).toEqual(packagesOf('v1'))
    await expect(
      rollBack(site.context, { path: latest, generation: '20200101T000000Z-1' }, signal),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(site.rollBack('repositories/demo/snapshots/none')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

describe('unpublishing', () => {
  it('takes a path away from clients, and leaves the packages in the pool', async () => {
    await using world = await publishedTwice()
    const { site } = world

    const planned = await unpublish(site.context, { target: 'demo', dryRun: true }, signal)
    const stillThere = await packagesAt(site, latest)
    const done = await unpublish(site.context, { target: latest, dryRun: false }, signal)

    expect(planned).toEqual({ path: latest, generations: 2, removed: false })
    expect(stillThere).toEqual(packagesOf('v2'))
    expect(done).toEqual({ path: latest, generations: 2, removed: true })
    expect(await readdir(site.published('repositories/demo'))).not.toContain('latest')
    await expect(unpublish(site.context, { target: 'demo', dryRun: false }, signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect((await site.publish('demo')).packages).toBe(6)
  })

  it('finds the path that shows a source under another name, and not one of its name that shows another', async () => {
    await using world = await publishedTwice()
    const { site } = world
    await site.snapshot('demo@now')
    const as = (source: string, name: string) =>
      publishSource(site.context, { source, as: name, force: false }, signal)
    await as('demo@before', 'production')
    await as('demo@now', 'before')

    const done = await unpublish(site.context, { target: 'demo@before', dryRun: false }, signal)

    expect(done).toMatchObject({ path: 'repositories/demo/snapshots/production', removed: true })
    await expect(
      unpublish(site.context, { target: 'demo@before', dryRun: false }, signal),
    ).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'demo@before is not published' })
    expect(await packagesAt(site, 'repositories/demo/snapshots/before')).toEqual(packagesOf('v2'))
  })

  it('does not choose between several paths that show a source', async () => {
    await using world = await publishedTwice()
    const { site } = world
    await site.publish('demo@before')
    await publishSource(site.context, { source: 'demo@before', as: 'production', force: false }, signal)

    const result = unpublish(site.context, { target: 'demo@before', dryRun: false }, signal)

    await expect(result).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message:
        'demo@before is published at repositories/demo/snapshots/before and repositories/demo/snapshots/production',
    })
  })
})

describe('an export', () => {
  it('is one tree of plain files, equal to what was frozen', async () => {
    await using world = await publishedTwice()
    const target = path.join(world.site.folder, 'media')
    await copySnapshot(world.site.context, { from: 'demo@before', to: 'demo@copy' }, signal)

    const result = await exportSource(world.site.context, { source: 'demo@copy', target }, signal)

    expect(result).toMatchObject({ path: target, packages: 6, sources: ['demo@copy'] })
    expect(await readTree(target)).toEqual(await readTree('assets/demo/v1'))
    const links = await readdir(target, { recursive: true, withFileTypes: true })
    expect(links.filter((entry) => entry.isSymbolicLink())).toEqual([])
    await expect(exportSource(world.site.context, { source: 'demo', target }, signal)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
  })
})
