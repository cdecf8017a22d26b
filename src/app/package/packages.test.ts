import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { collectGarbage } from '../pool/collect-garbage.ts'
import { syncHistory } from '../repository/list-repositories.ts'
import { resolveSource } from '../source.ts'
import { findPackageFiles } from './find-package-files.ts'
import { removePackages } from './remove-packages.ts'
import { type UploadPackagesInput, uploadPackages } from './upload-packages.ts'

const signal = new AbortController().signal
const signed = 'assets/demo/v1/Packages'
const unsigned = 'tests/fixtures/rpm/unsigned/Packages'
const hello = `${signed}/demo-hello-1.0-1.noarch.rpm`
const unsignedHello = `${unsigned}/demo-hello-1.0-1.noarch.rpm`
const server = `${signed}/demo-server-1.0-1.noarch.rpm`
const helloKey = 'demo-hello-0:1.0-1.noarch'

interface More {
  readonly reached?: Parameters<typeof openSite>[0]['reached']
  readonly verify?: object
}

const openHosted = ({ reached, verify }: More = {}) =>
  openSite({
    repositories: [
      { id: 'tools', type: 'rpm', mode: 'hosted', ...(verify && { verify }) },
      { id: 'mirror', type: 'rpm', feed: 'https://upstream.example/' },
    ],
    ...(reached && { reached }),
  })

async function upload(
  { context }: Site,
  paths: readonly string[],
  more: Partial<UploadPackagesInput> = {},
  aborting = signal,
) {
  const input = { repository: more.repository ?? 'tools', paths, recursive: false }
  const files = await findPackageFiles(context, input, aborting)
  const terms = { repository: 'tools', suite: null, component: null, force: false, ...more, files }
  return uploadPackages(context, terms, aborting)
}

const remove = ({ context }: Site, packages: readonly string[], dryRun = false) =>
  removePackages(context, { repository: 'tools', packages, dryRun }, signal)

/** Keys of the latest revision, and its number. */
async function latest({ context }: Site): Promise<readonly [number, readonly string[]]> {
  return context.catalog.read(async (reader) => {
    const {
      revisions: [revision],
    } = await resolveSource(reader, context.settings, 'tools')
    const keys: string[] = []
    for await (const { key } of reader.packages(revision)) keys.push(key)
    return [revision.number, keys] as const
  })
}

describe('an upload', () => {
  it('adds packages in one revision, which can be published', async () => {
    await using site = await openHosted()

    const result = await upload(site, [hello, server])

    expect(result).toMatchObject({ repository: 'tools', revision: 1, packages: 2 })
    expect(result.uploaded.map(({ file, status, package: { key } }) => [file, status, key])).toEqual([
      [hello, 'added', helloKey],
      [server, 'added', 'demo-server-0:1.0-1.noarch'],
    ])
    await site.publish('tools')
    const tree = await readTree(site.published('repositories/tools/latest'))
    expect([...tree.keys()].filter((path) => path.endsWith('.rpm')).sort()).toEqual([
      'Packages/d/demo-hello-1.0-1.noarch.rpm',
      'Packages/d/demo-server-1.0-1.noarch.rpm',
    ])
  })

  it('adds to what is there', async () => {
    await using site = await openHosted()
    await upload(site, [hello])

    const result = await upload(site, [server])

    expect(result).toMatchObject({ revision: 2, packages: 2 })
    expect(await latest(site)).toEqual([2, [helloKey, 'demo-server-0:1.0-1.noarch']])
  })

  it('of what is held already changes nothing', async () => {
    await using site = await openHosted()
    await upload(site, [hello])

    const result = await upload(site, [hello])

    expect(result).toMatchObject({ revision: 1, packages: 1, uploaded: [{ status: 'unchanged' }] })
  })

  it('with other bytes of what is held is refused, and nothing of it stays', async () => {
    await using site = await openHosted()
    await upload(site, [hello])

    await expect(upload(site, [server, unsignedHello])).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: `tools holds other bytes of ${helloKey}`,
      details: { packages: [helloKey] },
    })
    expect(await latest(site)).toEqual([1, [helloKey]])
  })

  it('replaces what is held where it is forced, and what is published follows', async () => {
    await using site = await openHosted()
    await upload(site, [hello])
    await site.publish('tools')

    const result = await upload(site, [unsignedHello, server], { force: true })

    expect(result.uploaded.map(({ status }) => status)).toEqual(['replaced', 'added'])
    expect(result).toMatchObject({ revision: 2, packages: 2 })
    await site.publish('tools')
    const tree = await readTree(site.published('repositories/tools/latest'))
    const path = 'Packages/d/demo-hello-1.0-1.noarch.rpm'
    const digest = result.uploaded[0]?.package.files[0].digest
    expect(tree.get(path)).toBe((await readTree(unsigned)).get('demo-hello-1.0-1.noarch.rpm'))
    const primary = [...tree].find(([name]) => name.includes('primary.xml'))
    expect([digest?.length, primary !== undefined]).toEqual([64, true])
  })

  it('of one package under two names counts once, and of two that differ not at all', async () => {
    await using site = await openHosted()
    const copy = join(site.folder, 'copy.rpm')
    await cp(hello, copy)

    expect(await upload(site, [hello, copy])).toMatchObject({ packages: 1 })
    await rm(copy)
    await cp(unsignedHello, copy)
    await expect(upload(site, [hello, copy])).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: expect.stringContaining(`two different files are ${helloKey}`),
    })
  })

  it('of a file that is no package names it, and adds none of the others', async () => {
    await using site = await openHosted()
    const broken = join(site.folder, 'broken.rpm')
    await writeFile(broken, 'no package')

    await expect(upload(site, [hello, broken])).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(`${broken}: not a sound RPM package`),
      details: { file: broken },
    })
    await expect(latest(site)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'tools holds no package yet',
    })
  })

  it('of more than the limit is refused', async () => {
    await using site = await openHosted()
    await site.reopen({ sections: { limits: { package: '1KB' } } })

    await expect(upload(site, [hello])).rejects.toMatchObject({
      code: 'SIZE_LIMIT',
      details: { file: hello },
    })
  })

  it('to a repository with an upstream is refused', async () => {
    await using site = await openHosted()

    await expect(upload(site, [hello], { repository: 'mirror' })).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: 'mirror is no hosted repository: its upstream says what it holds',
      hint: expect.stringContaining('publish both as a view'),
    })
  })

  it('to a repository that held something else before adds to a selection, and not to a mirror', async () => {
    await using upstream = await startDemoUpstream()
    const synced = (id: string, more: object = {}) => ({ id, type: 'rpm', feed: upstream.url, ...more })
    await using site = await openSite({
      repositories: [synced('tools', { filters: { patterns: { include: ['server'] } } }), synced('mirror')],
    })
    await site.sync('tools')
    await site.sync('mirror')
    const hosted = ['tools', 'mirror'].map((id) => ({ id, type: 'rpm', mode: 'hosted' }))
    await site.reopen({ repositories: hosted })

    await upload(site, [hello])
    await site.publish('tools')

    expect((await latest(site))[1]).toEqual([helloKey, 'demo-server-0:1.0-1.noarch'])
    await expect(upload(site, [hello], { repository: 'mirror' })).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: 'mirror holds the packages of the upstream that it mirrored',
    })
  })

  it('checks signatures, and says what came of it', async () => {
    const keys = [join(process.cwd(), 'assets/demo/RPM-GPG-KEY-demo')]
    await using site = await openHosted({ verify: { keys } })

    const result = await upload(site, [hello])

    expect(result.uploaded[0]?.package.signature?.verdict).toMatchObject({ state: 'good' })
    expect((await upload(site, [hello])).uploaded[0]?.package.signature?.verdict.state).toBe('good')
    await expect(upload(site, [`${unsigned}/demo-common-1.0-1.noarch.rpm`])).rejects.toMatchObject({
      code: 'SIGNATURE_MISSING',
    })
    expect(await latest(site)).toEqual([1, [helloKey]])
  })

  it('warns of signatures where that is asked for', async () => {
    const keys = [join(process.cwd(), 'assets/demo/RPM-GPG-KEY-demo')]
    await using site = await openHosted({ verify: { keys, packages: 'warn' } })

    const result = await upload(site, [unsignedHello])

    expect(result.uploaded[0]?.package.signature?.verdict).toEqual({ state: 'unsigned' })
    expect(site.warnings('PACKAGE_UNSIGNED')).toHaveLength(1)
  })

  it('leaves history as it is where somebody would sync the repository', async () => {
    await using site = await openHosted()
    await upload(site, [hello])

    const { status, cause } = await site.trySync('tools')

    expect([status, cause?.code]).toEqual(['failed', 'CONFIG_INVALID'])
    const history = await syncHistory(site.context, { ids: ['tools'], limit: 10 }, signal)
    expect(history.map(({ kind, error }) => [kind, error])).toEqual([['upload', null]])
  })

  it('warns once of all packages of modules, which are added all the same', async () => {
    await using site = await openHosted()
    const modular = 'tests/fixtures/rpm-headers-modular/chantal-modular-1-1.noarch.rpm'

    await upload(site, [modular, hello])
    await upload(site, [server])
    const again = await upload(site, [modular])

    const warning = expect.stringMatching(/^1 package of modules, .*: chantal-modular-0:1-1\.noarch$/)
    expect(site.warnings('METADATA_MISSING')).toEqual([warning, warning])
    expect(again).toMatchObject({ packages: 3, uploaded: [{ status: 'unchanged' }] })
    const history = await syncHistory(site.context, { ids: ['tools'], limit: 10 }, signal)
    expect(history.map(({ warnings }) => warnings)).toEqual([
      [{ code: 'METADATA_MISSING', message: warning }],
      [],
      [{ code: 'METADATA_MISSING', message: warning }],
    ])
  })

  it('of a file that is cut off names it, and adds none of the others', async () => {
    await using site = await openHosted()
    const cut = join(site.folder, 'cut.rpm')
    await writeFile(cut, (await readFile(server)).subarray(0, -1))

    await expect(upload(site, [hello, cut])).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
      message: expect.stringContaining(`${cut}: not a sound RPM package: it is cut off`),
      details: { file: cut },
    })
    await expect(latest(site)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('without keys is told which signature was found, and that decides nothing', async () => {
    await using site = await openHosted()

    const signed = await upload(site, [hello])
    const bare = await upload(site, [`${unsigned}/demo-common-1.0-1.noarch.rpm`])
    const verdicts = [...signed.uploaded, ...bare.uploaded].map(({ package: pkg }) => pkg.signature?.verdict)

    expect(verdicts).toEqual([{ state: 'unknown-key', keyIds: ['5BE3155C3EA9B365'] }, { state: 'unsigned' }])
    expect([site.warnings('PACKAGE_UNSIGNED'), site.warnings('PACKAGE_SIGNATURE_INVALID')]).toEqual([[], []])
  })

  it('waits for another one to the same repository', async () => {
    await using site = await openHosted()

    await Promise.all([upload(site, [hello]), upload(site, [server])])

    expect((await latest(site))[1]).toEqual([helloKey, 'demo-server-0:1.0-1.noarch'])
  })

  it.each([
    'blobs received',
    'blobs recorded',
    'revision opened',
    'packages added',
    'records added',
  ] as const)(
    'that is interrupted at “%s” leaves the latest revision, and can be repeated',
    async (moment) => {
      const interrupted = new AbortController()
      let isArmed = false
      await using site = await openHosted({
        reached: (reached) => {
          if (isArmed && reached === moment) interrupted.abort(new Error('interrupted'))
        },
      })
      await upload(site, [hello])
      isArmed = true

      await expect(upload(site, [server], {}, interrupted.signal)).rejects.toThrow('interrupted')

      isArmed = false
      expect(await latest(site)).toEqual([1, [helloKey]])
      await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)
      await upload(site, [server])
      expect(await latest(site)).toEqual([2, [helloKey, 'demo-server-0:1.0-1.noarch']])
    },
  )
})

describe('files for an upload', () => {
  const find = ({ context }: Site, paths: readonly string[], recursive = false) =>
    findPackageFiles(context, { repository: 'tools', paths, recursive }, signal)

  it('are those in folders that are called like packages, and in folders within where that is asked for', async () => {
    await using site = await openHosted()
    const folder = join(site.folder, 'build')
    await mkdir(join(folder, 'deeper'), { recursive: true })
    await cp(hello, join(folder, 'b.rpm'))
    await cp(hello, join(folder, 'deeper', 'c.rpm'))
    await symlink(join(folder, 'b.rpm'), join(folder, 'a.rpm'))
    await symlink(folder, join(folder, 'deeper', 'circle'))
    await writeFile(join(folder, 'notes.txt'), '')

    const flat = await find(site, [folder, join(folder, 'b.rpm')])
    const deep = await find(site, [folder], true)

    expect(flat.map(({ name }) => name)).toEqual(['a.rpm', 'b.rpm'])
    expect(deep.map(({ label }) => label.slice(folder.length))).toEqual(['/a.rpm', '/b.rpm', '/deeper/c.rpm'])
  })

  it('that are gone when they are read are an error that names them', async () => {
    await using site = await openHosted()
    const path = join(site.folder, 'gone.rpm')
    await cp(hello, path)
    const files = await find(site, [path])
    await rm(path)
    const terms = { repository: 'tools', suite: null, component: null, force: false, files }

    await expect(uploadPackages(site.context, terms, signal)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { path },
    })
  })

  it.each([
    ['that are not there', 'nowhere.rpm', 'NOT_FOUND'],
    ['that are called otherwise', 'package.json', 'USAGE_INVALID'],
    ['in folders without any', 'docs', 'USAGE_INVALID'],
    ['that are devices', '/dev/null', 'USAGE_INVALID'],
  ])('are refused %s', async (_, path, code) => {
    await using site = await openHosted()

    await expect(find(site, [path])).rejects.toMatchObject({ code })
  })
})

describe('a change of a hosted repository', () => {
  it('keeps others from the repository until it is done', async () => {
    const held: Promise<readonly string[]>[] = []
    const look = async () => {
      const leases = await site.context.catalog.leases()
      return leases.map(({ resource, purpose }) => `${resource}: ${purpose}`)
    }
    await using site = await openHosted({
      reached: (moment) => {
        if (moment === 'revision opened') held.push(look())
      },
    })

    await upload(site, [hello])
    await remove(site, [helloKey])

    expect(await Promise.all(held)).toEqual([
      ['arrivals:tools: upload to tools', 'repository:tools: upload to tools'],
      ['repository:tools: remove packages of tools'],
    ])
    expect(await look()).toEqual([])
  })

  it('loses nothing to a garbage collection without grace, before a revision names what has arrived', async () => {
    await using site = await openHosted()
    const { context } = site
    const [id, rpm] = [...context.ecosystems].find(([id]) => id === 'rpm') ?? []
    if (!id || !rpm?.uploads) throw new Error('no uploads')
    const { uploads } = rpm
    const describe: typeof uploads.describe = async (file, terms) => {
      await collectGarbage(context, { graceMs: 0, dryRun: false }, signal)
      return uploads.describe(file, terms)
    }
    const ecosystems = new Map(context.ecosystems).set(id, { ...rpm, uploads: { ...uploads, describe } })
    const files = await findPackageFiles(
      context,
      { repository: 'tools', paths: [hello, server], recursive: false },
      signal,
    )

    await uploadPackages(
      { ...context, ecosystems },
      { repository: 'tools', suite: null, component: null, force: false, files },
      signal,
    )

    expect((await site.publish('tools')).packages).toBe(2)
  })
})

describe('a removal', () => {
  it('takes packages out of the next revision, and snapshots keep them', async () => {
    await using site = await openHosted()
    await upload(site, [hello, server])
    await site.snapshot('tools@before')

    const result = await remove(site, ['demo-h*', helloKey])

    expect(result).toMatchObject({ revision: 2, packages: 1, done: true })
    expect(result.removed.map(({ key }) => key)).toEqual([helloKey])
    expect(await latest(site)).toEqual([2, ['demo-server-0:1.0-1.noarch']])
    expect((await site.publish('tools@before')).packages).toBe(2)
  })

  it('of a dry run says what it would take, and takes nothing', async () => {
    await using site = await openHosted()
    await upload(site, [hello, server])

    const result = await remove(site, ['demo-*'], true)

    expect(result).toMatchObject({ revision: 1, packages: 2, done: false })
    expect(result.removed).toHaveLength(2)
    expect((await latest(site))[0]).toBe(1)
  })

  it('of what is not there removes nothing of the rest', async () => {
    await using site = await openHosted()
    await upload(site, [hello])

    await expect(remove(site, ['demo-hello', 'demo-server'])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'tools holds no package "demo-server"',
    })
    expect(await latest(site)).toEqual([1, [helloKey]])
  })

  it('of all packages leaves an empty repository, which can be published and filled again', async () => {
    await using site = await openHosted()
    await upload(site, [hello])

    await remove(site, ['*'])

    expect(await latest(site)).toEqual([2, []])
    expect((await site.publish('tools')).packages).toBe(0)
    expect(await upload(site, [hello])).toMatchObject({ revision: 3, packages: 1 })
  })

  it('from a repository that never held anything finds nothing', async () => {
    await using site = await openHosted()

    await expect(remove(site, ['*'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
