import { cp, mkdtemp, readFile, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aptCorpus, whyNoAptCorpus } from '../../../tests/support/apt-corpus.ts'
import { readAptTree } from '../../../tests/support/apt-tree.ts'
import { filesBelow, openSite, readTree } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const note = whyNoAptCorpus === null ? '' : ` (skipped: ${whyNoAptCorpus})`
const states = ['t2-ubuntu-t0', 't2-ubuntu-t1', 't2-ubuntu'] as const

describe.skipIf(whyNoAptCorpus)(`a repository that moves on${note}`, () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chantal-evolution-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Makes the served folder show a state; later states have later times, as on a real server. */
  const show = async (served: string, state: string, day = [...states].map(String).indexOf(state)) => {
    await rm(served, { recursive: true, force: true })
    await cp(join(aptCorpus, state), served, { recursive: true })
    const time = new Date(Date.UTC(2026, 0, 1 + day))
    for (const file of await filesBelow(served)) await utimes(join(served, file), time, time)
  }

  it.each([
    ['over http', 'mirror'],
    ['over http', 'filtered'],
    ['from a folder', 'mirror'],
    ['from a folder', 'filtered'],
  ])(
    '%s, %s: fetches what came and nothing else, and keeps old snapshots as they were',
    async (how, mode) => {
      const served = join(folder, `${how} ${mode}`.replaceAll(' ', '-'))
      await using upstream = await startUpstream({ folder: served })
      const feed = how === 'over http' ? upstream.url.href : `file://${served}`
      await using site = await openSite({
        repositories: [
          { id: 't2', type: 'apt', feed, mode, apt: { suites: ['./'] }, verify: { keys: ['t2.asc'] } },
        ],
        files: { 't2.asc': await readFile(join(aptCorpus, 't2-ubuntu/KEY.gpg')) },
      })
      const latest = site.published('repositories/t2/latest')
      const old = site.published('repositories/t2/snapshots/t0')
      const shown = async (state: (typeof states)[number]) => {
        await show(served, state)
        upstream.forgetRequests()
        const result = await site.sync('t2')
        await site.publish('t2')
        return { ...result, debs: upstream.requests.filter(({ path }) => path.endsWith('.deb')).length }
      }

      const first = await shown('t2-ubuntu-t0')
      await site.snapshot('t2@t0')
      await site.publish('t2@t0')
      const before = await readTree(old)
      const second = await shown('t2-ubuntu-t1')
      const difference = await site.diff('t2@t0')
      const third = await shown('t2-ubuntu')
      const again = await site.sync('t2')
      await site.publish('t2@t0', { force: true })
      const after = await readTree(old)

      expect(first).toMatchObject({ revision: 1, packages: 16, added: 16, removed: 0, replaced: 0 })
      expect(second).toMatchObject({ revision: 2, packages: 23, added: 7, removed: 0, replaced: 0 })
      expect(third).toMatchObject({ revision: 3, packages: 27, added: 4, removed: 0, replaced: 0 })
      if (how === 'over http') expect([first.debs, second.debs, third.debs]).toEqual([16, 7, 4])
      expect(again).toMatchObject({ status: 'unchanged', revision: 3, fetchedFiles: 0 })
      expect([difference.added.length, difference.replaced.length, difference.removed.length]).toEqual([
        7, 0, 0,
      ])
      const packagesOf = (tree: ReadonlyMap<string, string>) =>
        [...tree].filter(([path]) => path.endsWith('.deb'))
      const real = async (state: string) => packagesOf(await readTree(join(aptCorpus, state)))
      expect(packagesOf(before)).toEqual(await real('t2-ubuntu-t0'))
      expect(packagesOf(after)).toEqual(packagesOf(before))
      expect(packagesOf(await readTree(latest))).toEqual(await real('t2-ubuntu'))
      if (mode === 'mirror') expect(after).toEqual(before)
      const stanzas = async (tree: string) =>
        [...((await readAptTree(tree, './')).indexes.get('Packages') ?? [])].sort()
      expect(await stanzas(old)).toEqual(await stanzas(join(aptCorpus, 't2-ubuntu-t0')))
    },
  )

  it.each(['mirror', 'filtered'])(
    'of the same Date is read again, and packages are fetched where they are new: %s',
    async (mode) => {
      const served = join(folder, `pulp-${mode}`)
      await using upstream = await startUpstream({ folder: served })
      await using site = await openSite({
        repositories: [
          {
            id: 'pulp',
            type: 'apt',
            feed: upstream.url.href,
            mode,
            apt: { suites: ['nosuite', 'ragnarok'] },
          },
        ],
      })
      const shown = async (state: string, day: number) => {
        await show(served, `pulp-deb-fixtures/${state}`, day)
        upstream.forgetRequests()
        const { added, removed, replaced } = await site.sync('pulp')
        await site.publish('pulp')
        const tree = await readAptTree(site.published('repositories/pulp/latest'), 'ragnarok')
        expect(tree.trouble.filter((text) => !text.includes('source/Sources'))).toEqual([])
        const debs = upstream.requests.filter(({ path }) => path.endsWith('deb')).map(({ path }) => path)
        return { added, removed, replaced, debs: debs.map((path) => basename(path)).sort() }
      }

      const first = await shown('debian', 0)
      const second = await shown('debian-update', 1)
      const third = await shown('debian-metadata-update', 2)

      // Three packages are in both suites, and their files are the same.
      expect(first).toMatchObject({ added: 8, removed: 0, replaced: 0 })
      expect(first.debs).toHaveLength(5)
      expect(second).toMatchObject({ added: 2, removed: 2, replaced: 1 })
      expect(second.debs).toEqual(['frigg_2.0_ppc64.deb', 'heimdallr_1.0_ppc64.deb'])
      expect(third).toMatchObject({ added: 2, removed: 2, debs: [] })
    },
  )
})
