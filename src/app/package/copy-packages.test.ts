import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { demoFiles, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { rpmFiles } from '../../../tests/support/rpm-files.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import { collectGarbage } from '../pool/collect-garbage.ts'
import { syncHistory } from '../repository/list-repositories.ts'
import { type CopyPackagesInput, copyPackages } from './copy-packages.ts'
import { findPackageFiles } from './find-package-files.ts'
import { removePackages } from './remove-packages.ts'
import { uploadPackages } from './upload-packages.ts'

const signal = new AbortController().signal
const hello = 'demo-hello-0:1.0-1.noarch'
const server = 'demo-server-0:1.0-1.noarch'
const debs = {
  apt: { suites: ['stable', 'testing'], components: ['main', 'extra'], architectures: ['amd64'] },
}

async function openWorld() {
  const upstream = await startDemoUpstream()
  const site = await openSite({
    repositories: [
      { id: 'demo', type: 'rpm', feed: upstream.url },
      { id: 'testing', type: 'rpm', mode: 'hosted' },
      { id: 'stable', type: 'rpm', mode: 'hosted' },
      { id: 'spare', type: 'rpm', mode: 'hosted' },
      { id: 'debs', type: 'apt', mode: 'hosted', ...debs },
      { id: 'more-debs', type: 'apt', mode: 'hosted', ...debs },
    ],
  })
  return {
    site,
    upstream,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

const copy = (
  { context }: Site,
  from: string,
  packages: readonly string[],
  to: string,
  more: Partial<CopyPackagesInput> = {},
) =>
  copyPackages(
    context,
    { from, packages, to, suite: null, component: null, force: false, move: false, dryRun: false, ...more },
    signal,
  )

async function upload({ context }: Site, repository: string, ...paths: readonly string[]) {
  const files = await findPackageFiles(context, { repository, paths, recursive: false }, signal)
  return uploadPackages(context, { repository, files, suite: null, component: null, force: false }, signal)
}

const keysIn = async ({ context }: Site, id: string) =>
  context.catalog.read(async (reader) => {
    const record = (await reader.repositories()).find((repository) => repository.id === id)
    const keys: string[] = []
    if (record?.latest) for await (const { key } of reader.packages(record.latest)) keys.push(key)
    return keys
  })

const history = async ({ context }: Site, id: string) =>
  (await syncHistory(context, { ids: [id], limit: 10 }, signal)).map(
    ({ kind, status, revision, added, removed, replaced }) => [
      kind,
      status,
      revision,
      added,
      removed,
      replaced,
    ],
  )

describe('copying packages', () => {
  it('takes them out of a mirror, a snapshot or a moment, under the paths of the target', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.sync('demo')
    await site.snapshot('demo@first')

    const result = await copy(site, 'demo', ['demo-hello', 'demo-common*'], 'stable')
    const again = await copy(site, 'demo@first', [hello, server], 'stable')

    expect(result).toMatchObject({
      from: 'demo',
      repository: 'stable',
      revision: 1,
      packages: 2,
      leftRevision: null,
    })
    expect(result.copied.map(({ label, status }) => [label, status])).toEqual([
      ['demo-common-0:1.0-1.noarch', 'added'],
      [hello, 'added'],
    ])
    expect(again.copied.map(({ label, status }) => [label, status])).toEqual([
      [hello, 'unchanged'],
      [server, 'added'],
    ])
    await site.publish('stable')
    const tree = await readTree(site.published('repositories/stable/latest'))
    expect([...tree.keys()].filter((path) => path.endsWith('.rpm'))).toEqual([
      'Packages/d/demo-common-1.0-1.noarch.rpm',
      'Packages/d/demo-hello-1.0-1.noarch.rpm',
      'Packages/d/demo-server-1.0-1.noarch.rpm',
    ])
    expect(tree.get('Packages/d/demo-hello-1.0-1.noarch.rpm')).toBe(
      (await readTree('assets/demo/v1')).get('Packages/demo-hello-1.0-1.noarch.rpm'),
    )
    expect(await history(site, 'stable')).toEqual([
      ['copy', 'synced', 2, 1, 0, 0],
      ['copy', 'synced', 1, 2, 0, 0],
    ])
  })

  it('warns of packages of modules, also where it is only tried', async () => {
    await using world = await openWorld()
    const { site } = world
    await upload(site, 'testing', 'tests/fixtures/rpm-headers-modular/chantal-modular-1-1.noarch.rpm')

    await copy(site, 'testing', ['*'], 'stable', { dryRun: true })
    await copy(site, 'testing', ['*'], 'stable')

    expect(site.warnings('METADATA_MISSING')).toHaveLength(3)
    expect(await keysIn(site, 'stable')).toEqual(['chantal-modular-0:1-1.noarch'])
  })

  it('refuses what a repository lists and its file is not: one that is cut off', async () => {
    const body = readFileSync('assets/demo/v1/Packages/demo-hello-1.0-1.noarch.rpm').subarray(0, -1)
    await using upstream = await startUpstream({ files: rpmFiles([{ name: 'demo-hello', body }]) })
    await using site = await openSite({
      repositories: [
        { id: 'demo', type: 'rpm', feed: upstream.url },
        { id: 'stable', type: 'rpm', mode: 'hosted' },
      ],
    })
    await site.sync('demo')

    await expect(copy(site, 'demo', ['demo-hello'], 'stable')).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining('it is cut off'),
    })
  })

  it('gives APT packages the suite and component that are asked for', async () => {
    await using world = await openWorld()
    const { site } = world
    await upload(site, 'debs', 'tests/fixtures/deb/hello-xz_1.0-1_all.deb')
    const [key = ''] = await keysIn(site, 'debs')

    await copy(site, 'debs', [key], 'more-debs', { suite: 'testing', component: 'extra' })
    await copy(site, 'debs', [key], 'more-debs')

    const keys = await keysIn(site, 'more-debs')
    expect(keys).toHaveLength(2)
    expect(keys).toEqual(expect.arrayContaining([key, expect.stringContaining('testing')]))
    await site.publish('more-debs')
    const tree = await readTree(site.published('repositories/more-debs/latest'))
    expect([...tree.keys()]).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^pool\/extra\/.*\.deb$/),
        expect.stringMatching(/^pool\/main\/.*\.deb$/),
      ]),
    )
  })

  it('refuses other bytes under the same key, unless that is forced', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.sync('demo')
    await upload(site, 'stable', 'tests/fixtures/rpm/unsigned/Packages/demo-hello-1.0-1.noarch.rpm')

    await expect(copy(site, 'demo', [hello, server], 'stable')).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    expect(await keysIn(site, 'stable')).toEqual([hello])
    const forced = await copy(site, 'demo', [hello, server], 'stable', { force: true })

    expect(forced.copied.map(({ status }) => status)).toEqual(['replaced', 'added'])
    expect((await history(site, 'stable'))[0]).toEqual(['copy', 'synced', 2, 1, 0, 1])
  })

  it.each([
    ['a package that is not there', 'demo', ['demo-hello', 'nope*'], 'stable', 'NOT_FOUND'],
    ['a target that is not hosted', 'stable', ['*'], 'demo', 'USAGE_INVALID'],
    ['another kind of repository', 'demo', ['*'], 'debs', 'USAGE_INVALID'],
    ['a repository that there is not', 'none', ['*'], 'stable', 'NOT_FOUND'],
  ])('refuses %s', async (_, from, packages, to, code) => {
    await using world = await openWorld()
    await world.site.sync('demo')

    await expect(copy(world.site, from, packages, to)).rejects.toMatchObject({ code })
    expect(await keysIn(world.site, 'stable')).toEqual([])
  })

  it('keeps what it copied, whatever becomes of where it was', async () => {
    await using world = await openWorld()
    const { site, upstream } = world
    await site.sync('demo')
    await copy(site, 'demo', [server], 'stable')
    for (const path of Object.keys(demoFiles('v1'))) upstream.remove(path)
    await site.reopen({ repositories: [{ id: 'stable', type: 'rpm', mode: 'hosted' }] })

    await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)

    expect((await site.publish('stable')).packages).toBe(1)
  })
})

describe('moving packages', () => {
  const both = 'assets/demo/v1/Packages'

  it('takes them from one hosted repository to another, and snapshots keep them', async () => {
    await using world = await openWorld()
    const { site } = world
    await upload(
      site,
      'testing',
      `${both}/demo-hello-1.0-1.noarch.rpm`,
      `${both}/demo-server-1.0-1.noarch.rpm`,
    )
    await site.snapshot('testing@before')

    const result = await copy(site, 'testing', ['demo-hello'], 'stable', { move: true })

    expect(result).toMatchObject({ repository: 'stable', revision: 1, packages: 1, leftRevision: 2 })
    expect(await keysIn(site, 'testing')).toEqual([server])
    expect(await keysIn(site, 'stable')).toEqual([hello])
    expect((await site.publish('testing@before')).packages).toBe(2)
    expect(await history(site, 'testing')).toEqual([
      ['remove', 'synced', 2, 0, 1, 0],
      ['upload', 'synced', 1, 2, 0, 0],
    ])
  })

  it('that is only tried says what would come of it, and changes neither', async () => {
    await using world = await openWorld()
    const { site } = world
    await upload(site, 'testing', `${both}/demo-hello-1.0-1.noarch.rpm`)
    const attempt = () => copy(site, 'testing', ['*'], 'stable', { move: true, dryRun: true })

    const first = await attempt()
    await upload(site, 'stable', `${both}/demo-hello-1.0-1.noarch.rpm`)
    const second = await attempt()

    expect(first).toMatchObject({ revision: 0, packages: 0, leftRevision: null, done: false })
    expect(first.copied.map(({ label, status }) => [label, status])).toEqual([[hello, 'added']])
    expect(second).toMatchObject({ revision: 1, packages: 1, leftRevision: null, done: false })
    expect(second.copied.map(({ label, status }) => [label, status])).toEqual([[hello, 'unchanged']])
    expect(await keysIn(site, 'testing')).toEqual([hello])
    expect(await history(site, 'testing')).toHaveLength(1)
    await upload(site, 'spare', 'tests/fixtures/rpm/unsigned/Packages/demo-hello-1.0-1.noarch.rpm')
    await expect(copy(site, 'spare', ['*'], 'stable', { move: true, dryRun: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
  })

  it('needs another repository, whose packages are ours', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.sync('demo')
    await upload(site, 'testing', `${both}/demo-hello-1.0-1.noarch.rpm`)
    const move = (from: string, to: string) => copy(site, from, ['*'], to, { move: true })

    await expect(move('testing', 'testing')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    await expect(move('demo', 'stable')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    expect(await keysIn(site, 'testing')).toEqual([hello])
    expect(await keysIn(site, 'stable')).toEqual([])
  })

  it('leaves both as they were where the target refuses them', async () => {
    await using world = await openWorld()
    const { site } = world
    await upload(site, 'testing', `${both}/demo-hello-1.0-1.noarch.rpm`)
    await upload(site, 'stable', 'tests/fixtures/rpm/unsigned/Packages/demo-hello-1.0-1.noarch.rpm')

    await expect(copy(site, 'testing', ['*'], 'stable', { move: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    expect(await keysIn(site, 'testing')).toEqual([hello])
  })
})

it('notes in history what an upload or a removal that changed nothing came to', async () => {
  await using world = await openWorld()
  const { site } = world
  const path = 'assets/demo/v1/Packages/demo-hello-1.0-1.noarch.rpm'
  await upload(site, 'stable', path)
  await upload(site, 'stable', path)
  await removePackages(site.context, { repository: 'stable', packages: ['*'], dryRun: true }, signal)

  expect(await history(site, 'stable')).toEqual([
    ['upload', 'unchanged', 1, 0, 0, 0],
    ['upload', 'synced', 1, 1, 0, 0],
  ])
})
