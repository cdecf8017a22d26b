import { describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import type { Sha256 } from '../../core/digest.ts'
import type { PackageKey, RepositoryId, StoredPackage } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { parseSource } from '../source.ts'
import { copySnapshot, createSnapshot } from './create-snapshot.ts'
import { deleteSnapshot } from './delete-snapshot.ts'
import { pairUpdates } from './diff-sources.ts'
import { listSnapshots, showSource } from './list-snapshots.ts'

const signal = new AbortController().signal

describe('a snapshot', () => {
  it('freezes what was latest, whatever comes after, under a name that is given once', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    const { context } = site
    await expect(site.snapshot('demo@early')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await site.sync('demo')
    const made = { source: 'demo@before', description: 'as it was', labels: { stage: 'test' } }
    await createSnapshot(context, made, signal)
    showDemo(upstream, 'v2')
    await site.sync('demo')
    await site.publish('demo@before')

    await copySnapshot(context, { from: 'demo@before', to: 'demo@copy' }, signal)
    const [before, copy] = await listSnapshots(context, { ids: ['demo'] }, signal)

    expect(before).toMatchObject({
      ...made,
      revision: 1,
      packages: 6,
      createdBy: context.user,
      pinned: false,
    })
    expect(copy).toMatchObject({ ...made, source: 'demo@copy', revision: 1, createdBy: context.user })
    expect(context.user).toMatch(/^.+@.+$/)
    expect(before?.published).toEqual(['repositories/demo/snapshots/before'])
    expect(await showSource(context, { source: 'demo' }, signal)).toMatchObject({
      revision: 2,
      snapshot: null,
    })
    await expect(createSnapshot(context, made, signal)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    await expect(
      copySnapshot(context, { from: 'demo@none', to: 'demo@other' }, signal),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is not deleted while it is published, and is gone after', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    for (const name of ['demo@one', 'demo@two']) await site.snapshot(name)
    await site.publish('demo@one')

    const remove = (source: string, dryRun = false) =>
      deleteSnapshot(site.context, { source, dryRun }, signal)

    await expect(remove('demo@one')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    expect(await remove('demo@two', true)).toMatchObject({ deleted: false })
    expect(await remove('demo@two')).toMatchObject({ deleted: true, packages: 6 })
    expect((await listSnapshots(site.context, { ids: [] }, signal)).map(({ source }) => source)).toEqual([
      'demo@one',
    ])
    await expect(remove('demo@two')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('differs from the latest revision by what came, went and was updated', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    await site.snapshot('demo@before')
    showDemo(upstream, 'v2')
    await site.sync('demo')

    const { added, removed, updated, replaced } = await site.diff('demo@before')

    expect(added.map(({ name }) => name)).toEqual(['demo-extra'])
    expect(removed.map(({ name }) => name)).toEqual(['demo-legacy'])
    expect(updated.map(({ name, from, to }) => [name, from.version, to.version])).toEqual([
      ['demo-server', '0:1.0-1', '0:1.1-1'],
    ])
    expect(replaced).toEqual([])
  })

  it('is not compared with packages of another kind', async () => {
    await using upstream = await startDemoUpstream()
    await using apt = await startUpstream({ folder: 'tests/fixtures/apt/v1' })
    await using site = await openSite({
      repositories: [
        { id: 'demo', type: 'rpm', feed: upstream.url },
        { id: 'debs', type: 'apt', feed: apt.url, apt: { suites: ['stable'] } },
      ],
    })
    await site.sync('demo')
    await site.sync('debs')

    await expect(site.diff('demo', 'debs')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: 'demo is of type rpm, and debs of type apt',
    })
  })
})

describe('a source', () => {
  it.each([
    ['epel9', { kind: 'latest' }],
    ['epel9@latest', { kind: 'latest' }],
    ['epel9@2026-11', { kind: 'snapshot', name: '2026-11' }],
    ['epel9@20261101T000000Z', { kind: 'time', time: new Date('2026-11-01T00:00:00Z') }],
  ])('is read from %s', (text, at) => {
    expect(parseSource(text)).toEqual({ owner: 'epel9', at })
  })

  it.each([
    'epel9@',
    'epel9@a/b',
    'epel9@..',
    'epel9@20261399T000000Z',
    'epel9@a@b',
    `epel9@${'a'.repeat(129)}`,
  ])('is not %s', (text) => {
    expect(() => parseSource(text)).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }))
  })
})

describe('updates', () => {
  const numbers = { compare: (a: string, b: string) => Number(a) - Number(b) }

  it.each([
    [['1'], ['2'], { updated: ['1>2'], added: [], removed: [] }],
    [['1', '2'], ['3', '4'], { updated: ['1>3', '2>4'], added: [], removed: [] }],
    [['1', '2', '3'], ['4'], { updated: ['3>4'], added: [], removed: ['1', '2'] }],
    [['1'], ['2', '3', '10'], { updated: ['1>10'], added: ['2', '3'], removed: [] }],
    [['5'], ['4'], { updated: ['5>4'], added: [], removed: [] }],
  ])('pair %j with %j, newest with newest', (before, after, expected) => {
    const { added, removed, updated } = pairUpdates(versions(after), versions(before), numbers)

    expect({
      updated: updated.map(({ from, to }) => `${from.version}>${to.version}`).sort(),
      added: added.map((pkg) => pkg.version).sort(),
      removed: removed.map((pkg) => pkg.version).sort(),
    }).toEqual(expected)
  })

  it('are of one name and one architecture', () => {
    const { updated } = pairUpdates([version('2', 'x86_64')], [version('1', 'aarch64')], numbers)

    expect(updated).toEqual([])
  })

  const versions = (all: readonly string[]) => all.map((number) => version(number))

  function version(number: string, architecture = 'noarch'): StoredPackage {
    return {
      repository: 'demo' as RepositoryId,
      key: `bash-${number}.${architecture}` as PackageKey,
      name: 'bash',
      version: number,
      architecture,
      builtAt: null,
      attributes: {},
      identity: number,
      signature: null,
      files: [
        {
          path: parseRelativePath(`bash-${number}.rpm`),
          digest: number.padStart(64, '0') as Sha256,
          size: 1,
        },
      ],
    }
  }
})
