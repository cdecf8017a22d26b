import { cp, mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rpmCorpus, whyNoRpmCorpus } from '../../../tests/support/rpm-corpus.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { filesBelow, openSite, readTree } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import { syncHistory } from '../../app/repository/list-repositories.ts'

const note = whyNoRpmCorpus === null ? '' : ` (skipped: ${whyNoRpmCorpus})`
const states = ['ruapm-wslu-t0', 'ruapm-wslu-t1', 'ruapm-wslu'] as const

describe.skipIf(whyNoRpmCorpus)(`a repository that moves on${note}`, () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chantal-evolution-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Makes the served folder show a state; later states have later times, as on a real server. */
  const show = async (served: string, state: (typeof states)[number]) => {
    await rm(served, { recursive: true, force: true })
    await cp(join(rpmCorpus, state), served, { recursive: true })
    const time = new Date(Date.UTC(2026, 0, 1 + states.indexOf(state)))
    for (const file of await filesBelow(served)) await utimes(join(served, file), time, time)
  }

  it.each([
    ['over http', 'mirror'],
    ['over http', 'filtered'],
    ['from a folder', 'mirror'],
    ['from a folder', 'filtered'],
  ])(
    '%s, %s: knows what came and what was replaced, and keeps old snapshots as they were',
    async (how, mode) => {
      const served = join(folder, `${how} ${mode}`.replaceAll(' ', '-'))
      await using upstream = await startUpstream({ folder: served })
      const feed = how === 'over http' ? upstream.url.href : `file://${served}`
      await using site = await openSite({ repositories: [{ id: 'wslu', type: 'rpm', feed, mode }] })
      const [latest, old] = ['repositories/wslu/latest', 'repositories/wslu/snapshots/t0'].map((path) =>
        site.published(path),
      )
      const shown = async (state: (typeof states)[number]) => {
        await show(served, state)
        const result = await site.sync('wslu')
        await site.publish('wslu')
        return result
      }

      const first = await shown('ruapm-wslu-t0')
      await site.snapshot('wslu@t0')
      await site.publish('wslu@t0')
      const before = await readTree(old ?? '')
      const second = await shown('ruapm-wslu-t1')
      const difference = await site.diff('wslu@t0')
      const third = await shown('ruapm-wslu')
      const again = await site.sync('wslu')
      await site.publish('wslu@t0', { force: true })
      const after = await readTree(old ?? '')

      expect(first).toMatchObject({ revision: 1, packages: 6, added: 6, removed: 0, replaced: 0 })
      expect(second).toMatchObject({ revision: 2, packages: 10, added: 4, removed: 0, replaced: 6 })
      // Of two that kept their bytes upstream's tool lists the dependencies in another order.
      expect(third).toMatchObject({ revision: 3, packages: 12, added: 2, removed: 0, replaced: 2 })
      expect(third.fetchedFiles).toBeLessThan(second.fetchedFiles - 6)
      expect(again).toMatchObject({ status: 'unchanged', revision: 3, fetchedFiles: 0 })
      expect(second.fetchedFiles).toBeGreaterThanOrEqual(10)
      expect([difference.added.length, difference.replaced.length, difference.removed.length]).toEqual([
        4, 6, 0,
      ])
      const history = await syncHistory(
        site.context,
        { ids: ['wslu'], limit: 10 },
        new AbortController().signal,
      )
      expect(history.map(({ status, added, replaced }) => ({ status, added, replaced }))).toEqual([
        { status: 'unchanged', added: 0, replaced: 0 },
        { status: 'synced', added: 2, replaced: 2 },
        { status: 'synced', added: 4, replaced: 6 },
        { status: 'synced', added: 6, replaced: 0 },
      ])

      const packagesOf = (tree: ReadonlyMap<string, string>) =>
        [...tree].filter(([path]) => path.endsWith('.rpm'))
      const real = async (state: string) => packagesOf(await readTree(join(rpmCorpus, state)))
      expect(packagesOf(before)).toEqual(await real('ruapm-wslu-t0'))
      expect(packagesOf(after)).toEqual(packagesOf(before))
      expect(packagesOf(await readTree(latest ?? ''))).toEqual(await real('ruapm-wslu'))
      if (mode === 'mirror') expect(after).toEqual(before)
      expect((await readRpmTree(old ?? '')).packages).toEqual(
        (await readRpmTree(join(rpmCorpus, 'ruapm-wslu-t0'))).packages,
      )
    },
  )

  it('notices what upstream took away, and puts back what it brings again without fetching it', async () => {
    const served = join(folder, 'back')
    await using upstream = await startUpstream({ folder: served })
    await using site = await openSite({ repositories: [{ id: 'wslu', type: 'rpm', feed: upstream.url }] })
    await show(served, 'ruapm-wslu')
    await site.sync('wslu')

    await show(served, 'ruapm-wslu-t0')
    const back = await site.sync('wslu')
    upstream.forgetRequests()
    await show(served, 'ruapm-wslu')
    const forth = await site.sync('wslu')

    expect(back).toMatchObject({ packages: 6, added: 0, removed: 6, replaced: 6 })
    expect(forth).toMatchObject({ packages: 12, added: 6, removed: 0, replaced: 6 })
    expect(upstream.requests.filter(({ path }) => path.endsWith('.rpm'))).toEqual([])
  })
})
