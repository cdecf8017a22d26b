import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readAsClient } from '../../../tests/support/rpm-client.ts'
import { type OddPackage, type OddRecord, rpmFiles } from '../../../tests/support/rpm-files.ts'
import { type RpmTree, readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'
import { findPackageFiles } from '../../app/package/find-package-files.ts'
import { uploadPackages } from '../../app/package/upload-packages.ts'

const latest = 'views/el/latest'
const signal = new AbortController().signal

const oak: OddPackage = { name: 'oak', files: ['/usr/bin/oak', '/usr/share/oak'] }
/** One name, version and file name in both repositories, and not the same bytes. */
const elmOfBase: OddPackage = { name: 'elm', body: 'elm of base' }
const elmOfExtra: OddPackage = { name: 'elm', body: 'elm of extra' }
const ivyOfBase: OddPackage = { name: 'ivy', version: '1.0-1.module' }
const ivyOfExtra: OddPackage = { name: 'ivy', version: '2.0-1.module' }
const yew: OddPackage = { name: 'yew', files: ['/usr/bin/yew'] }
/** The filters of `extra` leave it out. */
const pine: OddPackage = { name: 'pine' }

const nevra = (name: string) => `${name}.noarch`
const entry = (pkg: OddPackage) => `${pkg.name}-0:${pkg.version ?? '1.0-1'}`
const at = (folder: string, pkg: OddPackage) =>
  `${folder}/Packages/${pkg.name}-${pkg.version ?? '1.0-1'}.noarch.rpm`

const comps = (body: string): OddRecord => ({
  type: 'group',
  path: 'repodata/comps.xml',
  content: `<?xml version="1.0" encoding="UTF-8"?>\n<comps>${body}</comps>\n`,
})
const group = (id: string, name: string, ...packages: readonly string[]) =>
  `<group><id>${id}</id><name>${name}</name><packagelist>${packages
    .map((one) => `<packagereq type="mandatory">${one}</packagereq>`)
    .join('')}</packagelist></group>`
const environment = (id: string, ...groups: readonly string[]) =>
  `<environment><id>${id}</id><name>${id}</name><grouplist>${groups
    .map((one) => `<groupid>${one}</groupid>`)
    .join('')}</grouplist></environment>`

const modules = (...documents: readonly string[]): OddRecord => ({
  type: 'modules',
  path: 'repodata/modules.yaml',
  content: documents.join(''),
})
const stream = (name: string, version: string, ...artifacts: readonly string[]) =>
  `---\ndocument: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: "${version}"\n  version: 1\n  context: c0ffee\n  arch: noarch\n  artifacts:\n    rpms:\n${artifacts.map((artifact) => `    - ${artifact}\n`).join('')}...\n`
const defaults = (modified: string, version: string) =>
  `---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: climbers\n  modified: ${modified}\n  stream: "${version}"\n...\n`

const advisories = (
  ...all: readonly (readonly [id: string, updated: string, ...names: string[]])[]
): OddRecord => ({
  type: 'updateinfo',
  path: 'repodata/updateinfo.xml',
  content: `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${all
    .map(
      ([id, updated, ...names]) =>
        `<update type="security"><id>${id}</id><title>of ${updated}</title><updated date="${updated}"/><pkglist><collection>${names
          .map(
            (name) =>
              `<package name="${name}" epoch="0" version="1.0" release="1" arch="noarch"><filename>${name}.rpm</filename></package>`,
          )
          .join('')}</collection></pkglist></update>\n`,
    )
    .join('')}</updates>\n`,
})
const productId = (content: string): OddRecord => ({ type: 'productid', path: 'repodata/productid', content })

const ofBase: readonly OddRecord[] = [
  comps(group('trees', 'Trees', 'oak', 'lost') + environment('forest', 'trees')),
  modules(
    stream('climbers', '1', `${entry(ivyOfBase)}.noarch`, 'lost-0:1.0-1.noarch'),
    defaults('202001010000', '1'),
  ),
  advisories(['A', '2026-01-01', 'oak', 'lost'], ['B', '2026-01-02', 'elm'], ['LOST', '2026-01-03', 'lost']),
  productId('of base'),
]
const ofExtra: readonly OddRecord[] = [
  comps(
    group('trees', 'Other trees', 'yew', 'pine') +
      group('bushes', 'Bushes') +
      environment('forest', 'bushes'),
  ),
  modules(defaults('202101010000', '2'), stream('climbers', '2', `${entry(ivyOfExtra)}.noarch`)),
  advisories(['A', '2026-02-01', 'yew', 'pine'], ['PINE', '2026-02-02', 'pine']),
]

const filesOfExtra = (
  packages: readonly OddPackage[] = [elmOfExtra, ivyOfExtra, pine, yew],
  records = ofExtra,
) => rpmFiles(packages, { records, documents: ['primary', 'filelists', 'other', 'filelists-ext'] })

interface World extends AsyncDisposable {
  readonly site: Site
  readonly base: Upstream
  readonly extra: Upstream
}

/** `base` is mirrored, `extra` selected from, `tools` ours: all synced, and nothing published yet. */
async function openWorld(
  terms: { repos?: readonly string[]; records?: readonly OddRecord[] } = {},
): Promise<World> {
  const { repos = ['base', 'extra', 'tools'], records = ofExtra } = terms
  const base = await startUpstream({ files: rpmFiles([oak, elmOfBase, ivyOfBase], { records: ofBase }) })
  const extra = await startUpstream({ files: filesOfExtra(undefined, records) })
  const site = await openSite({
    repositories: [
      { id: 'base', type: 'rpm', feed: base.url },
      {
        ...{ id: 'extra', type: 'rpm', feed: extra.url, mode: 'filtered' },
        filters: { patterns: { exclude: ['^pine$'] } },
      },
      { id: 'tools', type: 'rpm', mode: 'hosted' },
    ],
    sections: { views: [{ name: 'el', repos }] },
  })
  for (const id of ['base', 'extra']) await site.sync(id)
  const paths = ['tests/fixtures/rpm/unsigned/Packages']
  const files = await findPackageFiles(site.context, { repository: 'tools', paths, recursive: false }, signal)
  const upload = { repository: 'tools', files, suite: null, component: null, force: false }
  await uploadPackages(site.context, upload, signal)
  return {
    site,
    base,
    extra,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await base[Symbol.asyncDispose]()
      await extra[Symbol.asyncDispose]()
    },
  }
}

const everything = [
  ...[elmOfBase, ivyOfBase, oak].map((pkg) => at('base', pkg)),
  ...[elmOfExtra, ivyOfExtra, yew].map((pkg) => at('extra', pkg)),
  ...['common', 'hello'].map((name) => `tools/Packages/d/demo-${name}-1.0-1.noarch.rpm`),
]

/** In the order of primary.xml. Every file was there, with the bytes that were promised. */
async function packagesAt(site: Site, path: string): Promise<readonly string[]> {
  const { trouble, packages } = await readAsClient(site.published(path))
  expect(trouble).toEqual([])
  return packages
}

const treeOf = (site: Site, path = latest): Promise<RpmTree> => readRpmTree(site.published(path))
/** How many packages a document says that it has, and how many it has. */
async function countIn(site: Site, { repomd }: RpmTree, document: string) {
  const href = repomd.records.find(({ type }) => type === document)?.href ?? ''
  const text = gunzipSync(await readFile(join(site.published(latest), href))).toString()
  const declared = Number(/ packages="(\d+)"/.exec(text)?.[1])
  return { declared, found: text.match(/<package /g)?.length }
}

const hrefsOf = ({ repomd }: RpmTree) => repomd.records.map(({ href }) => href)

describe('the tree of a view of RPM repositories', () => {
  it('has every package of every member below its own folder, in the order of the members', async () => {
    await using world = await openWorld()
    const { site } = world

    const { packages } = await site.publish('el')

    expect(packages).toBe(everything.length)
    expect(await packagesAt(site, latest)).toEqual(everything)
    expect(await readFile(join(site.published(latest), at('base', elmOfBase)), 'utf8')).toBe('elm of base')
    expect(await readFile(join(site.published(latest), at('extra', elmOfExtra)), 'utf8')).toBe('elm of extra')
  })

  it('has the members in the order of the configuration', async () => {
    await using world = await openWorld({ repos: ['tools', 'extra', 'base'] })
    const { site } = world

    await site.publish('el')

    const folders = (await packagesAt(site, latest)).map((path) => path.replace(/\/.*/, ''))
    expect([...new Set(folders)]).toEqual(['tools', 'extra', 'base'])
    const { comps, modules } = await treeOf(site)
    expect(comps?.groups[0]?.name).toBe('Other trees')
    expect(modules[0]?.kind).toBe('defaults')
  })

  it('says in every document how many packages it has, and of each what its repository says', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('el')

    const tree = await treeOf(site)
    expect(tree.repomd.records.map(({ type }) => type)).toEqual([
      ...['primary', 'filelists', 'other', 'filelists-ext', 'group', 'modules', 'productid', 'updateinfo'],
    ])
    for (const document of ['primary', 'filelists', 'other', 'filelists-ext'])
      expect(await countIn(site, tree, document)).toEqual({ declared: 8, found: 8 })
    const described = new Map(tree.packages.map((pkg) => [pkg.primary.href, pkg]))
    expect(described.get(at('base', oak))?.files.map(({ path }) => path)).toEqual(oak.files)
    expect(described.get(at('extra', yew))?.changelogs).toHaveLength(1)
    expect(described.get('tools/Packages/d/demo-hello-1.0-1.noarch.rpm')?.files).not.toEqual([])
  })

  it('unites groups and environments, without packages that are not published', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('el')

    const { comps } = await treeOf(site)
    const groups = comps?.groups.map(({ id, name, packages }) => [id, name, packages.map((one) => one.name)])
    expect(groups).toEqual([
      ['trees', 'Trees', ['oak', 'yew']],
      ['bushes', 'Bushes', []],
    ])
    expect(comps?.environments.map(({ id, groupIds }) => [id, groupIds])).toEqual([
      ['forest', ['trees', 'bushes']],
    ])
  })

  it('has the modules of all, with the defaults that were modified last', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('el')

    const { modules } = await treeOf(site)
    expect(modules.flatMap((one) => (one.kind === 'stream' ? [[one.stream, one.artifacts]] : []))).toEqual([
      ['1', [nevra(entry(ivyOfBase))]],
      ['2', [nevra(entry(ivyOfExtra))]],
    ])
    const notes = modules.filter(({ kind }) => kind === 'defaults')
    expect(notes.map((one) => 'stream' in one && one.stream)).toEqual(['2'])
  })

  it('has an advisory of several members once, with the packages of all that are published', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('el')

    const { advisories } = await treeOf(site)
    const said = advisories.map(({ id, title, collections }) => [
      id,
      title,
      collections.flatMap(({ packages }) => packages.map(({ name }) => name)).sort(),
    ])
    expect(said.sort()).toEqual([
      ['A', 'of 2026-02-01', ['oak', 'yew']],
      ['B', 'of 2026-01-02', ['elm']],
    ])
  })

  it('carries what nobody can unite from the first that has it, and says whose is left out', async () => {
    await using world = await openWorld({ records: [...ofExtra, productId('of extra')] })
    await using same = await openWorld({ records: [...ofExtra, productId('of base')] })

    await world.site.publish('el')
    await same.site.publish('el')

    const { repomd } = await treeOf(world.site)
    const ids = repomd.records.filter(({ type }) => type === 'productid')
    expect(ids).toHaveLength(1)
    expect(await readFile(join(world.site.published(latest), ids[0]?.href ?? ''), 'utf8')).toBe('of base')
    expect(world.site.warnings('METADATA_DROPPED')).toEqual([
      'productid is that of base alone, without that of extra',
    ])
    expect(same.site.warnings('METADATA_DROPPED')).toEqual([])
  })

  it('is not made of a mirror that kept nothing of its packages', async () => {
    await using world = await openWorld({ repos: ['extra', 'tools'] })
    const { site } = world
    await site.publish('el')

    await site.reopen({ sections: { views: [{ name: 'el', repos: ['base', 'extra', 'tools'] }] } })

    await expect(site.publish('el')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: expect.stringContaining('base was synced as a verbatim mirror'),
      hint: expect.stringContaining('chantal repo sync base'),
    })
    expect(await packagesAt(site, latest)).toHaveLength(5)
  })
})

describe('a view of RPM repositories that is published again', () => {
  it('is the same where nothing changed', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.publish('el')
    const before = await treeOf(site)

    const again = await site.publish('el')
    const forced = await site.publish('el', { force: true })

    expect(again.unchanged).toBe(true)
    expect(forced).toMatchObject({ unchanged: false, packageLinks: 0 })
    expect(hrefsOf(await treeOf(site))).toEqual(hrefsOf(before))
  })

  it('has the change of one member, and the others as they were', async () => {
    await using world = await openWorld()
    const { site, extra } = world
    await site.publish('el')
    const before = await treeOf(site)
    const zelkova: OddPackage = { name: 'zelkova' }
    const records = [comps(group('trees', 'Other trees', 'zelkova'))]
    for (const [path, bytes] of Object.entries(filesOfExtra([zelkova, elmOfExtra], records)))
      extra.put(path, bytes)
    await site.sync('extra')

    const changed = await site.publish('el')

    expect(changed.packageLinks).toBe(1)
    expect(await packagesAt(site, latest)).toEqual([
      ...everything.slice(0, 3),
      at('extra', elmOfExtra),
      at('extra', zelkova),
      ...everything.slice(6),
    ])
    const after = await treeOf(site)
    const others = ({ packages }: RpmTree) =>
      packages.filter(({ primary }) => !primary.href.startsWith('extra/'))
    expect(others(after)).toEqual(others(before))
    expect(after.comps?.groups.map(({ packages }) => packages.map(({ name }) => name))).toEqual([
      ['oak', 'zelkova'],
    ])
    expect(after.modules.map((one) => 'stream' in one && one.stream)).toEqual(['1', '1'])
    expect(after.advisories.map(({ id }) => id)).toEqual(['A', 'B'])
  })

  it('goes back with all members, and so does a name for its snapshots', async () => {
    await using world = await openWorld()
    const { site, base, extra } = world
    await site.publish('el')
    await site.snapshot('el@first')
    for (const [path, bytes] of Object.entries(rpmFiles([oak]))) base.put(path, bytes)
    for (const [path, bytes] of Object.entries(filesOfExtra([yew], []))) extra.put(path, bytes)
    for (const id of ['base', 'extra']) await site.sync(id)
    await site.publish('el')
    const after = await packagesAt(site, latest)

    const frozen = await site.publish('el@first')
    await site.rollBack(latest)

    expect(after).toEqual([at('base', oak), at('extra', yew), ...everything.slice(6)])
    for (const path of [frozen.path, latest]) {
      expect(await packagesAt(site, path)).toEqual(everything)
      const { comps, advisories, modules } = await treeOf(site, path)
      expect(comps?.groups).toHaveLength(2)
      expect(advisories).toHaveLength(2)
      expect(modules).toHaveLength(3)
    }
    const names = [...(await readTree(site.published(frozen.path))).keys()]
    expect(names).toEqual(expect.arrayContaining(everything))
  })
})
