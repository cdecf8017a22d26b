import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { RpmTree } from '../../../tests/support/rpm-tree.ts'
import type { Site } from '../../../tests/support/site.ts'
import {
  at,
  elmOfBase,
  elmOfExtra,
  entry,
  everything,
  ivyOfBase,
  ivyOfExtra,
  latest,
  oak,
  ofExtra,
  openWorld,
  packagesAt,
  productId,
  treeOf,
  yew,
} from './view.test-support.ts'

/** How many packages a document says that it has, and how many it has. */
async function countIn(site: Site, { repomd }: RpmTree, document: string) {
  const href = repomd.records.find(({ type }) => type === document)?.href ?? ''
  const text = gunzipSync(await readFile(join(site.published(latest), href))).toString()
  const declared = Number(/ packages="(\d+)"/.exec(text)?.[1])
  return { declared, found: text.match(/<package /g)?.length }
}

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
      ['1', [`${entry(ivyOfBase)}.noarch`]],
      ['2', [`${entry(ivyOfExtra)}.noarch`]],
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
