import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Moment, moments } from '../../src/app/moments.ts'
import { collectGarbage } from '../../src/app/pool/collect-garbage.ts'
import { parseRelativePath } from '../../src/core/path.ts'
import type { Checkpoint } from '../../src/publish/directory-stage.ts'
import { demoFiles, showDemo, startDemoUpstream } from '../support/demo-upstream.ts'
import { readAsClient } from '../support/rpm-client.ts'
import { openSite, readTree, type Site } from '../support/site.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { brokenInvariants } from './invariants.ts'
import { startProcess } from './process.ts'

const latest = 'repositories/demo/latest'
const signal = new AbortController().signal

/** A first state that is synced, published and frozen, and an upstream that has moved on. */
async function siteBehind(upstream: Upstream): Promise<Site> {
  const site = await openSite({
    repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
    sections: { publish: { keep_generations: 1, grace: '0s' } },
  })
  await site.sync('demo')
  await site.publish('demo')
  await site.snapshot('demo@before')
  showDemo(upstream, 'v2')
  return site
}

/** Packages, as the state of the upstream lists them. */
const packagesOf = (version: 'v1' | 'v2') =>
  Object.keys(demoFiles(version))
    .filter((name) => name.endsWith('.rpm'))
    .sort()

const namesIn = async (site: Site) => [...(await readTree(site.published(latest))).keys()].sort()

async function die(site: Site, work: string, moment: Moment | Checkpoint, nth: number): Promise<void> {
  const { signal: cause, stderr } = await startProcess(site.folder, work, { moment, nth }).ended
  expect({ cause, stderr }).toEqual({ cause: 'SIGKILL', stderr: '' })
}

const lastBatch = 6

describe('a sync that is killed', () => {
  const points = moments.sync.flatMap((moment): [Moment, number][] =>
    moment.startsWith('blobs ')
      ? [
          [moment, 1],
          [moment, lastBatch],
        ]
      : [[moment, 1]],
  )
  it.each(points)('at “%s” (%i) leaves everything sound, and the next one succeeds', async (moment, nth) => {
    await using upstream = await startDemoUpstream()
    await using site = await siteBehind(upstream)

    await die(site, 'sync demo', moment, nth)

    expect(await brokenInvariants(site)).toEqual([])
    upstream.forgetRequests()
    const next = await site.sync('demo')
    await site.publish('demo')
    expect(next).toMatchObject({ packages: 6, revision: 2 })
    expect(site.warnings('LEASE_TAKEN_OVER')).toHaveLength(1)
    expect(await brokenInvariants(site)).toEqual([])
    // Metadata of the state before may be carried along for clients midway.
    expect(Object.fromEntries(await readTree(site.published(latest)))).toMatchObject(
      Object.fromEntries(await readTree('assets/demo/v2')),
    )
    expect(await site.context.catalog.leases()).toEqual([])
  })

  it('has not to fetch again what was recorded', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await siteBehind(upstream)
    await die(site, 'sync demo', 'files fetched', 1)
    upstream.forgetRequests()

    const next = await site.sync('demo')

    expect(next.status).toBe('synced')
    expect(upstream.requests.filter(({ path }) => path.endsWith('.rpm'))).toEqual([])
  })
})

describe('an upload that is killed', () => {
  const points = moments.sync.filter((moment) => moment !== 'metadata read' && moment !== 'files fetched')
  it.each(points)('at “%s” leaves everything sound, and the next one succeeds', async (moment) => {
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', mode: 'hosted' }] })
    const { ended } = startProcess(site.folder, `upload demo ${resolve('tests/fixtures/rpm/flat')}`)
    expect((await ended).stderr).toBe('')
    const more = `upload demo ${resolve('assets/demo/v2/Packages')}`

    await die(site, more, moment, 1)

    expect(await brokenInvariants(site)).toEqual([])
    const isSealed = moment === 'revision sealed'
    expect((await site.publish('demo')).packages).toBe(isSealed ? 6 : 2)
    expect((await startProcess(site.folder, more).ended).stderr).toBe('')
    expect(await site.publish('demo')).toMatchObject({ packages: 6, unchanged: isSealed })
    expect(await brokenInvariants(site)).toEqual([])
    expect(await site.context.catalog.leases()).toEqual([])
  })
})

describe('a publication that is killed', () => {
  const points: readonly (Moment | Checkpoint)[] = [
    'generation announced',
    'before links',
    'after link',
    'after links',
    'after flush',
    'after shelves',
    'before switch',
    'after switch',
    'generation switched',
    'generation recorded',
  ]
  it.each(points)('at “%s” leaves clients a whole tree, and the next one succeeds', async (moment) => {
    await using upstream = await startDemoUpstream()
    await using site = await siteBehind(upstream)
    await site.sync('demo')

    await die(site, 'publish demo', moment, 1)

    expect(await brokenInvariants(site)).toEqual([])
    const isSwitched = ['after switch', 'generation switched', 'generation recorded'].includes(moment)
    const packages = (await namesIn(site)).filter((name) => name.endsWith('.rpm'))
    // One folder of the shelf serves both, so the packages of both are seen.
    expect(packages).toEqual(expect.arrayContaining(packagesOf(isSwitched ? 'v2' : 'v1')))
    const next = await site.publish('demo')
    expect(next.unchanged).toBe(isSwitched)
    expect(await brokenInvariants(site)).toEqual([])
    await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
    expect(await brokenInvariants(site)).toEqual([])
    const path = parseRelativePath(latest)
    const { publication, recorded } = await site.context.catalog.read(async (reader) => ({
      publication: await reader.publication(path),
      recorded: (await reader.generations(path)).map(({ generation }) => generation).sort(),
    }))
    const onDisk = (await site.context.publications.generations(path)).map(({ name }) => name).sort()
    expect(publication?.current?.generation).toBe(next.generation)
    expect(recorded).toEqual(onDisk)
    expect(await site.context.catalog.leases()).toEqual([])
  })
})

describe('a snapshot that is killed once it is made', () => {
  it('is there, and can be published', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await siteBehind(upstream)

    await die(site, 'snapshot demo@killed', 'snapshot created', 1)

    expect(await brokenInvariants(site)).toEqual([])
    expect((await site.publish('demo@killed')).packages).toBe(6)
    await expect(site.snapshot('demo@killed')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })
})

describe('a view', () => {
  const latestOfView = 'views/both/latest'

  /** Both members have moved on since the view was published and frozen. */
  async function viewBehind(upstream: Upstream): Promise<Site> {
    const site = await openSite({
      repositories: [
        { id: 'demo', type: 'rpm', feed: upstream.url },
        { id: 'other', type: 'rpm', feed: upstream.url, mode: 'filtered' },
      ],
      sections: {
        publish: { keep_generations: 1, grace: '0s' },
        views: [{ name: 'both', repos: ['demo', 'other'] }],
      },
    })
    for (const id of ['demo', 'other']) await site.sync(id)
    await site.publish('both')
    await site.snapshot('both@before')
    showDemo(upstream, 'v2')
    for (const id of ['demo', 'other']) await site.sync(id)
    return site
  }

  const versionsIn = async (site: Site) => {
    const { packages } = await readAsClient(site.published(latestOfView))
    return new Set(
      [...packages]
        .filter((name) => name.includes('demo-server'))
        .map((name) => /server-(.*?)-/.exec(name)?.[1]),
    )
  }

  it.each([...moments.publish, 'before links', 'after links', 'before switch', 'after switch'] as const)(
    'whose publication is killed at “%s” shows all members of before or all of after',
    async (moment) => {
      await using upstream = await startDemoUpstream()
      await using site = await viewBehind(upstream)

      await die(site, 'publish both', moment, 1)

      expect(await brokenInvariants(site)).toEqual([])
      const isSwitched = ['after switch', 'generation switched', 'generation recorded'].includes(moment)
      expect(await versionsIn(site)).toEqual(new Set([isSwitched ? '1.1' : '1.0']))
      const next = await site.publish('both')
      expect(next.unchanged).toBe(isSwitched)
      expect(await versionsIn(site)).toEqual(new Set(['1.1']))
      await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
      expect(await brokenInvariants(site)).toEqual([])
      expect((await site.publish('both@before')).packages).toBe(12)
      expect(await site.context.catalog.leases()).toEqual([])
    },
  )

  it('that was frozen when its process is killed has a snapshot of all members', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await viewBehind(upstream)

    await die(site, 'snapshot both@killed', 'snapshot created', 1)

    const frozen = await site.context.catalog.read((reader) => reader.viewSnapshot('both', 'killed'))
    expect(frozen?.revisions.map(({ repository, number }) => [repository, number])).toEqual([
      ['demo', 2],
      ['other', 2],
    ])
    expect(await brokenInvariants(site)).toEqual([])
    await expect(site.snapshot('both@killed')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })
})

describe('a garbage collection that is killed', () => {
  it.each(moments.collect)('at “%s” leaves everything sound, and the next one ends it', async (moment) => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    showDemo(upstream, 'v2')
    await site.sync('demo')

    await die(site, 'collect', moment, 1)

    expect(await brokenInvariants(site)).toEqual([])
    await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
    expect(await brokenInvariants(site)).toEqual([])
    expect(await unnamedBlobs(site)).toEqual([])
    expect((await site.sync('demo')).status).toBe('unchanged')
    expect((await site.publish('demo')).packages).toBe(6)
  })
})

describe('a process that is killed at any time', () => {
  it('leaves everything sound, twenty times over', { timeout: 120_000 }, async () => {
    await using upstream = await startDemoUpstream()
    await using site = await siteBehind(upstream)
    const random = seeded(20261124)
    for (let round = 0; round < 20; round++) {
      showDemo(upstream, round % 2 === 0 ? 'v2' : 'v1')
      const work = `sync demo,snapshot demo@${round},publish demo,publish demo@${round},collect`
      const working = startProcess(site.folder, work)
      await working.ready
      await Promise.race([working.ended, pause(random() * 400)])
      working.kill()
      const { stderr } = await working.ended
      expect({ round, stderr, broken: await brokenInvariants(site) }).toEqual({
        round,
        stderr: '',
        broken: [],
      })
    }

    showDemo(upstream, 'v2')
    await site.sync('demo')
    await site.publish('demo')

    expect(await brokenInvariants(site)).toEqual([])
    expect((await namesIn(site)).filter((name) => name.startsWith('repodata/repomd.xml'))).toHaveLength(2)
  })
})

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Files in the pool that no row names. */
async function unnamedBlobs({ context }: Site): Promise<readonly string[]> {
  const known = new Set<string>()
  await context.catalog.read(async (reader) => {
    for await (const { digest } of reader.blobs()) known.add(digest)
  })
  const unnamed: string[] = []
  for await (const { digest } of context.pool.list()) if (!known.has(digest)) unnamed.push(digest)
  return unnamed
}
