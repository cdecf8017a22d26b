import { describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { collectGarbage } from '../pool/collect-garbage.ts'
import { publishSource } from '../publish/publish-source.ts'
import { unpublish } from '../publish/unpublish.ts'
import { deleteSnapshot } from './delete-snapshot.ts'
import { listSnapshots } from './list-snapshots.ts'
import { pinSnapshot } from './pin-snapshot.ts'
import { type PruneOutput, pruneSnapshots } from './prune-snapshots.ts'

const signal = new AbortController().signal
const day = 24 * 60 * 60 * 1000

/** Snapshots `old`, `older` (of the demonstration's first state) and `new` (of its second), a day apart, of which the policy keeps one. */
async function openPruned() {
  const parts = new AsyncDisposableStack()
  const upstream = parts.use(await startDemoUpstream())
  const clock = { now: new Date(Date.now() + day) }
  const site = parts.use(
    await openSite({
      repositories: [
        { id: 'demo', type: 'rpm', feed: upstream.url, retention: { keep_last: 1 } },
        { id: 'free', type: 'rpm', feed: upstream.url },
      ],
      sections: { publish: { keep_generations: 2, grace: '0s' } },
      now: () => clock.now,
    }),
  )
  const next = () => {
    clock.now = new Date(clock.now.getTime() + day)
  }
  await site.sync('demo')
  await site.snapshot('demo@older')
  next()
  await site.snapshot('demo@old')
  next()
  showDemo(upstream, 'v2')
  await site.sync('demo')
  await site.snapshot('demo@new')
  next()
  return { site, next, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

const prune = (site: Site, dryRun = false, ids: readonly string[] = []) =>
  pruneSnapshots(site.context, { ids, dryRun }, signal)
const going = ({ snapshots }: PruneOutput) =>
  snapshots.filter(({ action }) => action === 'remove').map(({ source }) => source)
const keepers = ({ snapshots }: PruneOutput) =>
  Object.fromEntries(snapshots.map(({ source, keptBy }) => [source, keptBy]))
const names = async (site: Site) =>
  (await listSnapshots(site.context, { ids: [] }, signal)).map(({ source }) => source)

describe('pruning snapshots', () => {
  it('removes what the policy does not keep, and frees to the byte what it foretold', async () => {
    await using pruned = await openPruned()
    const { site, next } = pruned
    const garbage = () => collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
    await garbage()

    const planned = await prune(site, true)
    const before = await names(site)
    const done = await prune(site)
    const after = await names(site)
    next()
    const collected = await garbage()

    expect(going(planned)).toEqual(['demo@older', 'demo@old'])
    expect(keepers(planned)['demo@new']).toEqual(['keep_last'])
    expect(before).toEqual(['demo@older', 'demo@old', 'demo@new'])
    expect(done).toEqual({ ...planned, dryRun: false })
    expect(after).toEqual(['demo@new'])
    expect(planned.freedBytes).toBeGreaterThan(0)
    expect([planned.freedBlobs, planned.freedBytes]).toEqual([collected.removed, collected.freedBytes])
  })

  it('frees nothing that another repository or a snapshot that stays has too', async () => {
    await using pruned = await openPruned()
    const { site } = pruned
    await pinSnapshot(site.context, { source: 'demo@older', isPinned: true }, signal)

    const planned = await prune(site, true)

    expect(going(planned)).toEqual(['demo@old'])
    expect(planned).toMatchObject({ freedBlobs: 0, freedBytes: 0 })
  })

  it('leaves pinned ones, and lets them go once they are unpinned', async () => {
    await using pruned = await openPruned()
    const { site } = pruned
    const pin = (isPinned: boolean) => pinSnapshot(site.context, { source: 'demo@old', isPinned }, signal)
    expect(await pin(true)).toMatchObject({ source: 'demo@old', pinned: true })

    const pinned = await prune(site)
    const deleting = deleteSnapshot(site.context, { source: 'demo@old', dryRun: false }, signal)

    expect([going(pinned), keepers(pinned)['demo@old']]).toEqual([['demo@older'], ['pinned']])
    await expect(deleting).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      hint: expect.stringContaining('snapshot unpin demo@old'),
    })
    expect(await pin(false)).toMatchObject({ pinned: false })
    expect(going(await prune(site))).toEqual(['demo@old'])
    await expect(pin(true)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('leaves what is published, and what a generation on disk could show again', async () => {
    await using pruned = await openPruned()
    const { site } = pruned
    const path = 'repositories/demo/snapshots/stable'
    const promote = (source: string) =>
      publishSource(site.context, { source, as: 'stable', force: false }, signal)
    await promote('demo@older')
    await promote('demo@old')

    const both = await prune(site)
    await promote('demo@new')
    const rolledOver = await prune(site)

    expect([going(both), keepers(both)['demo@older'], keepers(both)['demo@old']]).toEqual([
      [],
      ['published'],
      ['published'],
    ])
    expect(both.snapshots[0]?.published).toEqual([path])
    expect(going(rolledOver)).toEqual([])
    await unpublish(site.context, { target: path, dryRun: false }, signal)
    expect(going(await prune(site))).toEqual(['demo@older', 'demo@old'])
  })

  it('removes of what may go only what was agreed to', async () => {
    await using pruned = await openPruned()
    const { site } = pruned

    const done = await pruneSnapshots(
      site.context,
      { ids: [], dryRun: false, agreed: ['demo@old', 'demo@new'] },
      signal,
    )

    expect(going(done)).toEqual(['demo@old'])
    expect(await names(site)).toEqual(['demo@older', 'demo@new'])
  })

  it('leaves all of a repository without a policy, and says so where it is named', async () => {
    await using pruned = await openPruned()
    const { site } = pruned
    await site.sync('free')
    await site.snapshot('free@one')

    const named = await prune(site, true, ['free'])

    expect(keepers(named)).toEqual({ 'free@one': ['no_policy'] })
    expect(Object.keys(keepers(await prune(site, true)))).not.toContain('free@one')
    await expect(prune(site, true, ['nope'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is ended by its signal with nothing removed', async () => {
    await using pruned = await openPruned()
    const { site } = pruned

    const pruning = pruneSnapshots(site.context, { ids: [], dryRun: false }, AbortSignal.abort())

    await expect(pruning).rejects.toThrow()
    expect(await names(site)).toHaveLength(3)
  })
})

describe('pruning snapshots of views', () => {
  const openView = async () => {
    const parts = new AsyncDisposableStack()
    const upstream = parts.use(await startDemoUpstream())
    const clock = { now: new Date(Date.now() + day) }
    const site = parts.use(
      await openSite({
        repositories: [
          { id: 'demo', type: 'rpm', feed: upstream.url, retention: { keep_last: 1 } },
          { id: 'other', type: 'rpm', feed: upstream.url, mode: 'filtered' },
        ],
        sections: { views: [{ name: 'both', repos: ['demo', 'other'], retention: { keep_last: 1 } }] },
        now: () => clock.now,
      }),
    )
    for (const version of ['v1', 'v2'] as const) {
      showDemo(upstream, version)
      for (const id of ['demo', 'other']) await site.sync(id)
      for (const name of ['demo', 'both']) await site.snapshot(`${name}@${version}`)
      clock.now = new Date(clock.now.getTime() + day)
    }
    return { site, [Symbol.asyncDispose]: () => parts.disposeAsync() }
  }

  it('goes by the policy of the view, and leaves alone what a snapshot of it froze in a member', async () => {
    await using pruned = await openView()
    const { site } = pruned

    const planned = await prune(site, true)
    const ofDemo = await prune(site, true, ['demo'])

    expect(going(planned)).toEqual(['both@v1'])
    expect(keepers(planned)).toEqual({
      'demo@v1': ['view_snapshot'],
      'demo@v2': ['view_snapshot', 'keep_last'],
      'both@v1': [],
      'both@v2': ['keep_last'],
    })
    // The snapshot of the member has the same.
    expect(planned.freedBlobs).toBe(0)
    expect(ofDemo.snapshots.find(({ source }) => source === 'demo@v1')?.viewSnapshots).toEqual(['both@v1'])
  })

  it('frees what only it and what it kept needed, once both are gone', async () => {
    await using pruned = await openView()
    const { site } = pruned
    await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)

    const first = await prune(site)
    const second = await prune(site)

    expect([going(first), going(second)]).toEqual([['both@v1'], ['demo@v1']])
    expect(await names(site)).toEqual(['demo@v2', 'both@v2'])
    expect(second.freedBytes).toBeGreaterThan(0)
  })

  it('spares one that is pinned', async () => {
    await using pruned = await openView()
    const { site } = pruned
    await pinSnapshot(site.context, { source: 'both@v1', isPinned: true }, signal)

    expect(going(await prune(site, true, ['b*']))).toEqual([])
  })
})
