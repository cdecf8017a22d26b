import { describe, expect, inject, it } from 'vitest'
import { collectGarbage } from '../src/app/pool/collect-garbage.ts'
import { verifyPool } from '../src/app/pool/verify-pool.ts'
import { brokenInvariants } from './crash/invariants.ts'
import { startProcess } from './crash/process.ts'
import { createDatabase } from './servers/postgresql.ts'
import { demoFiles, showDemo, startDemoUpstream, turnDemo } from './support/demo-upstream.ts'
import { readAsClient } from './support/rpm-client.ts'
import { openSite, type Site } from './support/site.ts'
import { soak } from './support/soak.ts'
import type { Upstream } from './upstream/upstream.ts'

const signal = new AbortController().signal
const server = inject('postgresql')
const latest = 'repositories/demo/latest'

/** What keeps the catalog, why it cannot be had here, and where a fresh one is; `null`: in the site's folder. */
const catalogs: readonly (readonly [
  name: string,
  missing: string | null,
  create: () => Promise<URL | null>,
])[] = [
  ['SQLite', null, async () => null],
  ['PostgreSQL', 'missing' in server ? server.missing : null, () => createDatabase(server)],
]

for (const [name, missing, create] of catalogs) {
  describe.skipIf(missing !== null)(`several processes on ${name}${missing ? ` (${missing})` : ''}`, () => {
    const open = async (
      upstream: Upstream,
      ids: readonly string[],
      views: readonly object[] = [],
    ): Promise<Site> => {
      const database = await create()
      return openSite({
        repositories: ids.map((id) => ({ id, type: 'rpm', feed: upstream.url })),
        sections: { publish: { keep_generations: 1, grace: '0s' }, views },
        ...(database && { database }),
      })
    }

    it('refuses the second sync of one repository, naming who is at it', async () => {
      await using upstream = await startDemoUpstream()
      await using site = await open(upstream, ['demo'])
      upstream.behave('repodata/repomd.xml', { kind: 'silent' })
      const first = startProcess(site.folder, 'sync demo')
      await requested(upstream, 'repodata/repomd.xml')

      const second = await site.trySync('demo')

      expect(second.cause?.traits.exit).toBe(11)
      expect(second.error).toMatchObject({
        code: 'LEASE_HELD',
        details: { pid: first.pid, purpose: 'sync demo' },
      })
      // Whoever is at it records what comes of it.
      expect(await site.context.catalog.read((reader) => reader.syncs(null, 10))).toEqual([])
      first.kill()
      await first.ended
    })

    it('takes over at once what a killed process held, and says so', async () => {
      await using upstream = await startDemoUpstream()
      await using site = await open(upstream, ['demo'])
      upstream.behave('repodata/repomd.xml', { kind: 'silent', times: 1 })
      const first = startProcess(site.folder, 'sync demo')
      await requested(upstream, 'repodata/repomd.xml')
      first.kill()
      await first.ended

      const result = await site.sync('demo')

      expect(result.status).toBe('synced')
      expect(result.warnings.map(({ code }) => code)).toContain('LEASE_TAKEN_OVER')
      expect(site.warnings('LEASE_TAKEN_OVER')[0]).toContain(String(first.pid))
    })

    it('syncs repositories that share packages at once, and keeps each package once', async () => {
      await using upstream = await startDemoUpstream()
      const ids = ['one', 'two', 'three', 'four']
      await using site = await open(upstream, ids)
      const others = [
        startProcess(site.folder, 'sync one,publish one'),
        startProcess(site.folder, 'sync two,publish two'),
      ]

      const here = await Promise.all(['three', 'four'].map((id) => site.sync(id)))
      const there = await Promise.all(others.map(({ ended }) => ended))

      expect(there).toEqual(there.map(() => ({ status: 0, signal: null, stderr: '' })))
      expect(here.map(({ packages }) => packages)).toEqual([6, 6])
      const { blobs } = await site.context.catalog.read((reader) => reader.counts())
      expect(blobs).toBe(Object.keys(demoFiles('v1')).length)
      await expectSound(site)
    })

    it('syncs, publishes and collects garbage at once, without losing anything', {
      timeout: 90_000,
    }, async () => {
      await using upstream = await startDemoUpstream()
      await using site = await open(upstream, ['demo', 'other'])
      for (const id of ['demo', 'other']) await site.sync(id)
      const rounds = 10
      const working = [
        startProcess(site.folder, repeat('sync demo', rounds)),
        startProcess(site.folder, repeat('sync other,publish other', rounds)),
        startProcess(site.folder, repeat('publish demo', rounds)),
        startProcess(site.folder, repeat('collect', rounds)),
      ]
      const over = new AbortController()
      const turning = turnDemo(upstream, over.signal)

      const ended = await Promise.all(working.map(({ ended }) => ended))
      over.abort()
      await turning

      expect(ended).toEqual(ended.map(() => ({ status: 0, signal: null, stderr: '' })))
      await expectSound(site)
      showDemo(upstream, 'v2')
      for (const id of ['demo', 'other']) {
        await site.sync(id)
        await site.publish(id)
      }
      await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
      await expectSound(site)
      expect(await site.context.catalog.leases()).toEqual([])
    })

    it('freezes and publishes views of the same members while those are synced', {
      timeout: 90_000,
    }, async () => {
      await using upstream = await startDemoUpstream()
      const views = [
        { name: 'forwards', repos: ['demo', 'other'] },
        { name: 'backwards', repos: ['other', 'demo'] },
      ]
      await using site = await open(upstream, ['demo', 'other'], views)
      for (const id of ['demo', 'other']) await site.sync(id)
      const freezing = (view: string) =>
        Array.from(
          { length: 6 },
          (_, round) => `publish ${view},snapshot ${view}@${round},publish ${view}@${round}`,
        ).join(',')
      const working = [
        startProcess(site.folder, freezing('forwards')),
        startProcess(site.folder, freezing('backwards')),
        startProcess(site.folder, repeat('sync demo,sync other', 8)),
        startProcess(site.folder, repeat('collect', 8)),
      ]
      const over = new AbortController()
      const turning = turnDemo(upstream, over.signal)

      const ended = await Promise.all(working.map(({ ended }) => ended))
      over.abort()
      await turning

      expect(ended).toEqual(ended.map(() => ({ status: 0, signal: null, stderr: '' })))
      await expectSound(site)
      const frozen = await site.context.catalog.read((reader) => reader.viewSnapshots())
      expect(frozen).toHaveLength(12)
      expect(await site.context.catalog.leases()).toEqual([])
    })

    it('does all of it at once for a while, and nothing is lost or hangs', { timeout: 180_000 }, async () => {
      const { processes, broken } = await soak(await create(), { seconds: 12, kills: false })

      expect(processes.map(({ ended }) => ended)).toEqual(
        processes.map(() => ({ status: 0, signal: null, stderr: '' })),
      )
      expect(broken).toEqual([])
      const steps = processes.flatMap(({ counts }) => Object.entries(counts))
      // Nobody is idle long enough for that.
      const unfinished = steps.filter(([step, { done }]) => done === 0 && step !== 'vacuum')
      expect(unfinished).toEqual([])
    })

    it('loses nothing, and needs no repair, where all of them are killed again and again', {
      timeout: 180_000,
    }, async () => {
      const { processes, broken } = await soak(await create(), { seconds: 12, kills: true })

      expect(processes.map(({ ended }) => ended)).toEqual(
        processes.map(() => ({ status: 0, signal: null, stderr: '' })),
      )
      expect(broken).toEqual([])
      expect(processes.filter(({ kills }) => kills < 3)).toEqual([])
    })
  })
}

describe('a client that is midway while publications switch', () => {
  it.each(['mirror', 'filtered'])(
    'finds every file that it was told of, with the bytes it was promised (%s)',
    async (mode) => {
      await using upstream = await startDemoUpstream()
      await using site = await openSite({
        repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode }],
        sections: { publish: { keep_generations: 2, grace: '1h' } },
      })
      await site.sync('demo')
      await site.publish('demo')
      const over = new AbortController()
      const clients = Promise.all([1, 2].map(() => readUntil(site.published(latest), over.signal)))

      for (let round = 1; round <= 8; round++) {
        showDemo(upstream, round % 2 === 0 ? 'v1' : 'v2')
        await site.sync('demo')
        await site.publish('demo')
      }
      over.abort()
      const readings = (await clients).flat()

      expect(readings.flatMap(({ trouble }) => trouble)).toEqual([])
      const seen = new Set(readings.map(({ packages }) => [...packages].sort().join()))
      expect(seen.size).toBe(2)
    },
  )
})

/** Reads again and again, as many clients would. */
async function readUntil(folder: string, over: AbortSignal) {
  const readings: Awaited<ReturnType<typeof readAsClient>>[] = []
  while (!over.aborted) readings.push(await readAsClient(folder))
  return readings
}

const repeat = (work: string, times: number) => Array.from({ length: times }, () => work).join(',')

async function requested(upstream: Upstream, path: string): Promise<void> {
  while (upstream.requestsFor(path).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
}

async function expectSound(site: Site): Promise<void> {
  const { damaged } = await verifyPool(site.context, { repair: false, rate: null }, signal)
  expect(damaged).toEqual([])
  expect(await brokenInvariants(site)).toEqual([])
}
