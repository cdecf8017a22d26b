import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AptTree, fieldOf } from '../../../tests/support/apt-tree.ts'
import { aptFiles } from '../../../tests/support/apt-upstream.ts'
import { readTree } from '../../../tests/support/site.ts'
import { latest, openWorld, repositoriesOf, treeOf, upload } from './view.test-support.ts'

const amd64 = 'main/binary-amd64/Packages'

const namesIn = ({ indexes }: AptTree, index: string) =>
  (indexes.get(index) ?? []).map((stanza) => `${fieldOf(stanza, 'Package')} ${fieldOf(stanza, 'Version')}`)
const textOf = ({ indexes }: AptTree, index: string) => (indexes.get(index) ?? []).join('\n\n')
const linesOf = (tree: AptTree, index: string) => textOf(tree, index).split('\n')
const words = (tree: AptTree, field: string) => tree.fields.get(field)?.split(' ')
const twice = <T>(items: readonly T[]) => items.filter((item, index) => items.indexOf(item) !== index)

describe('members with the same suite', () => {
  it('make one, with the components and architectures of all and the policy of the first', async () => {
    await using world = await openWorld(['base', 'more', 'tools'])
    const { site } = world
    await upload(site, 'hello-xz_1.0-1_all.deb')

    await site.publish('all')

    const tree = await treeOf(site)
    expect(words(tree, 'Components')).toEqual(['main', 'contrib', 'tools'])
    expect(words(tree, 'Architectures')).toEqual(['all', 'amd64', 'i386'])
    const said = ['Origin', 'Version', 'Description', 'NotAutomatic', 'Codename']
    expect(said.map((name) => tree.fields.get(name))).toEqual([
      'Chantal',
      '1.1',
      'A suite for tests',
      undefined,
      'chantal',
    ])
  })

  it('have their packages in one index, each below the folder of its member', async () => {
    await using world = await openWorld()
    const { site } = world

    const { packages } = await site.publish('all')

    const tree = await treeOf(site)
    const greeters = (tree.indexes.get(amd64) ?? []).filter(
      (stanza) => fieldOf(stanza, 'Package') === 'greeter',
    )
    expect(greeters.map((stanza) => fieldOf(stanza, 'Filename'))).toEqual([
      'base/pool/main/g/greeter/greeter_0.9-1_amd64.deb',
      'base/pool/main/g/greeter/greeter_1.0-1_amd64.deb',
      'more/pool/main/g/greeter/greeter_1.0-1_amd64.deb',
      'more/pool/main/g/greeter/greeter_1.1-1_amd64.deb',
    ])
    expect(namesIn(tree, amd64).filter((name) => name === 'apt 1.0')).toHaveLength(1)
    expect(namesIn(tree, 'main/binary-i386/Packages')).toContain('greeter 1.1-1')
    expect(namesIn(tree, 'main/binary-i386/Packages')).not.toContain('apt 1.0')
    expect(namesIn(tree, 'contrib/binary-amd64/Packages')).toEqual(['greeter-plugins 1.0'])
    expect(namesIn(tree, 'main/debian-installer/binary-amd64/Packages')).toEqual([
      'greeter-udeb 1.0-1',
      'greeter-udeb 1.0-1',
    ])
    expect(packages).toBeGreaterThan(20)
  })

  it('have the sources of those that have any, in their folders', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('all')

    const tree = await treeOf(site)
    const sources = tree.indexes.get('main/source/Sources') ?? []
    expect(sources.map((stanza) => fieldOf(stanza, 'Directory'))).toEqual([
      'base/pool/main/g/greeter',
      'base/pool/main/g/greeter',
      'base/pool/main/libg/libgreet',
    ])
    expect(tree.pool.has('base/pool/main/g/greeter/greeter_1.0.orig.tar.xz')).toBe(true)
    expect(tree.listed.has('contrib/source/Sources')).toBe(true)
  })

  it('have descriptions, lists of files, commands and components of all, each once', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('all')

    const tree = await treeOf(site)
    const english = tree.indexes.get('main/i18n/Translation-en') ?? []
    expect(english.filter((stanza) => fieldOf(stanza, 'Package') === 'apt')).toHaveLength(1)
    expect(english.map((stanza) => fieldOf(stanza, 'Package'))).toContain('greeter-extra')
    expect(tree.indexes.get('contrib/i18n/Translation-en')).toHaveLength(1)
    const files = linesOf(tree, 'main/Contents-amd64')
    expect(files.filter((line) => line.startsWith('usr/share/minimal/apt'))).toHaveLength(1)
    expect(files.join('\n')).toContain('usr/share/greeter/extra')
    expect(files).toEqual([...files].sort())
    expect(twice(files)).toEqual([])
    const commands = textOf(tree, 'main/cnf/Commands-amd64')
    expect([...commands.matchAll(/^suite: (.*)$/gm)]).toHaveLength(1)
    expect([...commands.matchAll(/^version: (.*)$/gm)].map(([, version]) => version)).toEqual([
      '1.0-1',
      '1.1-1',
    ])
    const components = textOf(tree, 'main/dep11/Components-amd64.yml')
    expect([...components.matchAll(/^File: (.*)$/gm)]).toHaveLength(1)
    expect([...components.matchAll(/^Package: libgreet1$/gm)]).toHaveLength(2)
  })

  it('have the icons of the first, and say so where another has others', async () => {
    await using world = await openWorld()
    await using alone = await openWorld(['base', 'flat'])
    const { site } = world

    await site.publish('all')
    await alone.site.publish('all')

    const icons = 'main/dep11/icons-48x48.tar'
    const tree = await treeOf(site)
    expect(tree.listed.has(`${icons}.gz`)).toBe(true)
    expect(await readFile(join(site.published(latest), `dists/stable/${icons}.gz`))).toEqual(
      Buffer.from(aptFiles('v1')[`dists/stable/${icons}.gz`] ?? ''),
    )
    expect(site.warnings('METADATA_DROPPED')).toEqual([
      `dists/stable/${icons}.gz is that of base alone, without that of more`,
    ])
    expect(alone.site.warnings('METADATA_DROPPED')).toEqual([])
  })
})

describe('uploaded packages for all architectures', () => {
  const all = ['hello-xz_1.0-1_all.deb', 'hello-zstd_1.0-1_all.deb']

  it('stand in the index that the suite has for them', async () => {
    await using world = await openWorld(['base', 'tools'])
    const { site } = world
    await upload(site, ...all)
    await site.publish('all')

    const tree = await treeOf(site)

    expect(tree.fields.get('No-Support-for-Architecture-all')).toBe('Packages')
    expect(namesIn(tree, 'tools/binary-amd64/Packages')).toEqual(['hello-xz 1.0-1', 'hello-zstd 1.0-1'])
  })

  it('reach every architecture that another member brings, and bring none themselves', async () => {
    await using world = await openWorld(['more', 'tools'])
    const { site, more } = world
    const apt = { suites: ['stable'], architectures: ['i386'] }
    await site.reopen({
      repositories: repositoriesOf(world.base, more).flatMap((one) =>
        one.id === 'more' ? [{ ...one, apt }] : one.id === 'tools' ? [one] : [],
      ),
    })
    await site.sync('more')
    await upload(site, ...all)

    await site.publish('all')

    const tree = await treeOf(site)
    expect(namesIn(tree, 'tools/binary-i386/Packages')).toEqual(['hello-xz 1.0-1', 'hello-zstd 1.0-1'])
    expect([...tree.indexes.keys()].filter((name) => name.includes('amd64'))).toEqual([])
  })

  it('come with the architectures of other uploads into the components of all', async () => {
    await using world = await openWorld(['tools'])
    const { site } = world
    await upload(site, ...all, 'libhello1_2.0-1_amd64.deb')

    await site.publish('all')

    const tree = await treeOf(site)
    expect(namesIn(tree, 'tools/binary-amd64/Packages')).toHaveLength(3)
    expect(tree.fields.get('Origin')).toBe('all')
  })
})

describe('members with suites of their own', () => {
  it('stand beside each other, a flat one below its own folder', async () => {
    await using world = await openWorld()
    const { site } = world

    await site.publish('all')

    const updates = await treeOf(site, 'stable-updates')
    expect(updates.fields.get('NotAutomatic')).toBe('yes')
    expect([...updates.pool.keys()]).toContain('base/pool/main/g/greeter/greeter_1.0-1+u1_amd64.deb')
    const flat = await treeOf(site, 'flat/')
    expect(flat.fields.get('Origin')).toBe('Chantal flat')
    expect(flat.fields.get('Suite')).toBe('flat')
    expect([...flat.pool.keys()].sort()).toEqual([
      'flat/flat-lib_0.1_amd64.deb',
      'flat/flat-tool_1.0_all.deb',
    ])
    const folders = new Set(
      [...(await readTree(site.published(latest))).keys()].map((name) => name.split('/')[0]),
    )
    expect([...folders].sort()).toEqual(['base', 'dists', 'flat', 'key.asc', 'more'])
  })
})
