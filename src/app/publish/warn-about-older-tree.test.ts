import { describe, expect, it } from 'vitest'
import { openAptSite } from '../../../tests/support/apt-site.ts'
import { aptFiles, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { publishSource } from './publish-source.ts'
import { releasePublication } from './roll-back.ts'

const signal = new AbortController().signal
const warnings = (site: Site) => site.warnings('OLDER_VERBATIM_TREE')
const publishAs = (site: Site, source: string) =>
  publishSource(site.context, { source, as: 'stable', force: false }, signal)

/** Both states are synced, published and frozen. */
async function openBoth() {
  const parts = new AsyncDisposableStack()
  const upstream = parts.use(await startAptUpstream())
  const site = parts.use(await openAptSite(upstream.url, { now: new Date('2026-03-01T00:00:00Z') }))
  for (const state of ['v1', 'v2'] as const) {
    upstream.show(await aptFiles(state))
    for (const id of ['mirror', 'filtered']) {
      await site.sync(id)
      await site.publish(id)
      await site.snapshot(`${id}@${state}`)
    }
  }
  return { site, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

describe('a verbatim APT tree that is older than what a path has shown', () => {
  it('is published by a rollback with a warning that names the ways out', async () => {
    await using world = await openBoth()
    const { site } = world
    const before = warnings(site)

    await site.rollBack('repositories/mirror/latest')
    await releasePublication(site.context, { path: 'repositories/mirror/latest' }, signal)
    await site.publish('mirror')

    expect(before).toEqual([])
    expect(warnings(site)).toEqual([
      expect.stringMatching(/latest goes back from revision 2 of mirror to 1.*mode: filtered.*snapshot/),
    ])
  })

  it('is published with that warning too where a name moves back, and only there', async () => {
    await using world = await openBoth()
    const { site } = world

    await publishAs(site, 'mirror@v1')
    await publishAs(site, 'mirror@v2')
    const forwards = warnings(site)
    await publishAs(site, 'mirror@v1')
    await site.publish('mirror@v1')

    expect(forwards).toEqual([])
    expect(warnings(site)).toEqual([expect.stringContaining('repositories/mirror/snapshots/stable')])
  })

  it('is nothing to warn of where the tree is ours, with a date of its own', async () => {
    await using world = await openBoth()
    const { site } = world

    await site.rollBack('repositories/filtered/latest')

    expect(warnings(site)).toEqual([])
  })
})

it('does not warn of an RPM tree, which clients take whatever its time', async () => {
  await using upstream = await startDemoUpstream()
  await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
  await site.sync('demo')
  await site.publish('demo')
  showDemo(upstream, 'v2')
  await site.sync('demo')
  await site.publish('demo')

  await site.rollBack('repositories/demo/latest')

  expect(warnings(site)).toEqual([])
})
