import { describe, expect, it } from 'vitest'
import { rpmCorpus, whyNoRpmCorpus } from '../../../tests/support/rpm-corpus.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const note = whyNoRpmCorpus === null ? '' : ` (skipped: ${whyNoRpmCorpus})`
const withDeltas = `${rpmCorpus}/rmt-dummy-repo/dummy_repo_with_src`
const absent = { kind: 'status', status: 404 } as const

describe.skipIf(whyNoRpmCorpus)(`what an RPM upstream lists and does not have${note}`, () => {
  it('is left out with `on_missing: skip`, and the next sync looks for it again', async () => {
    await using upstream = await startUpstream({ folder: withDeltas })
    const base = { type: 'rpm', feed: upstream.url.href }
    await using site = await openSite({
      repositories: [
        { ...base, id: 'strict' },
        ...['mirror', 'filtered'].map((mode) => ({ ...base, id: mode, mode, on_missing: 'skip' })),
      ],
    })
    const { packages } = await readRpmTree(withDeltas)
    const [gone, ...others] = packages
    const path = gone?.primary.href ?? ''
    upstream.behave(path, absent)

    const strict = await site.trySync('strict')
    const lenient = [await site.sync('mirror'), await site.sync('filtered')]
    await site.publish('filtered')
    upstream.behave(path)
    const found = await site.sync('filtered')

    expect(strict).toMatchObject({
      status: 'partial',
      error: { code: 'SYNC_INCOMPLETE' },
      missing: [{ path }],
    })
    for (const { status, missing, packages: count } of lenient)
      expect([status, count, missing.map((one) => one.path)]).toEqual(['synced', others.length, [path]])
    const published = await readRpmTree(site.published('repositories/filtered/latest'))
    expect(published.packages.map(({ nevra }) => nevra)).toEqual(others.map(({ nevra }) => nevra))
    expect(found).toMatchObject({ status: 'synced', added: 1, packages: packages.length, missing: [] })
  })

  it('does not count deltas among the packages: a repository is empty only when none of those is there', async () => {
    await using upstream = await startUpstream({ folder: withDeltas })
    await using site = await openSite({
      repositories: [{ id: 'all', type: 'rpm', feed: upstream.url.href, on_missing: 'skip' }],
    })
    const { packages } = await readRpmTree(withDeltas)
    const delta = 'x86_64/apples-0.0.1_0.0.2-lp151.2.1.x86_64.drpm'
    for (const path of [delta, ...packages.slice(1).map(({ primary }) => primary.href)])
      upstream.behave(path, absent)

    const result = await site.trySync('all')

    expect(result).toMatchObject({ status: 'synced', packages: 1 })
    expect(result.missing.map(({ path }) => path)).toContain(delta)
  })
})
