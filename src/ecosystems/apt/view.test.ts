import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AptTree, fieldOf, readAptTree } from '../../../tests/support/apt-tree.ts'
import {
  type AptFiles,
  type AptUpstream,
  aptFiles,
  aptKeyFile,
  aptPrivateKeyFile,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { findPackageFiles } from '../../app/package/find-package-files.ts'
import { uploadPackages } from '../../app/package/upload-packages.ts'

const latest = 'views/all/latest'
const signal = new AbortController().signal
const amd64 = 'main/binary-amd64/Packages'

/** As another archive would have the suite: not our words, and greeter in the newer state. */
const moreFiles = (): Promise<AptFiles> =>
  changeApt(aptFiles('v2'), {
    release: (text) =>
      text
        .replace(/^Origin: .*/m, 'Origin: Another')
        .replace(/^Description: .*/m, 'Description: Other words\nNotAutomatic: yes'),
  })

type Section = Readonly<Record<string, unknown>>

/** What a site of this test may have; `base` and `flat` are of one upstream, `more` is of another. */
function repositoriesOf(
  base: AptUpstream,
  more: AptUpstream,
): readonly (Section & { readonly id: string })[] {
  const verify = { keys: [aptKeyFile('archive')] }
  const synced = (upstream: AptUpstream) => ({ type: 'apt', feed: upstream.url.href, verify })
  return [
    {
      ...{ id: 'base', ...synced(base), mode: 'mirror' },
      apt: {
        suites: ['stable', 'stable-updates'],
        components: ['main'],
        architectures: ['amd64'],
        sources: true,
        check_valid_until: false,
      },
    },
    {
      ...{ id: 'more', ...synced(more), mode: 'filtered' },
      apt: { suites: ['stable'], architectures: ['amd64', 'i386'] },
      filters: { patterns: { exclude: ['^apt$'] } },
    },
    { id: 'flat', ...synced(base), feed: `${base.url.href}flat/`, mode: 'filtered', apt: { suites: ['./'] } },
    { id: 'tools', type: 'apt', mode: 'hosted', apt: { suites: ['stable'], components: ['tools'] } },
  ]
}

interface World extends AsyncDisposable {
  readonly site: Site
  readonly base: AptUpstream
  readonly more: AptUpstream
}

const viewOf = (repos: readonly string[]) => ({ views: [{ name: 'all', repos }] })
const signing = { signing: { key_file: 'key.asc' } }

/** What has an upstream is synced, and nothing published yet. */
async function openWorld(
  repos: readonly string[] = ['base', 'more', 'flat'],
  views: Section = viewOf(repos),
): Promise<World> {
  const base = await startAptUpstream()
  const more = await startAptUpstream(await moreFiles())
  const repositories = repositoriesOf(base, more).filter(({ id }) => repos.includes(id))
  const site = await openSite({
    repositories,
    sections: { ...signing, ...views },
    files: { 'key.asc': await readFile(aptPrivateKeyFile('other'), 'utf8') },
    now: () => new Date('2026-02-03T00:00:00Z'),
  })
  for (const { id, mode } of repositories) if (mode !== 'hosted') await site.sync(id)
  return {
    site,
    base,
    more,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await base[Symbol.asyncDispose]()
      await more[Symbol.asyncDispose]()
    },
  }
}

async function upload({ context }: Site, ...names: readonly string[]): Promise<void> {
  const paths = names.map((name) => join('tests/fixtures/deb', name))
  const files = await findPackageFiles(context, { repository: 'tools', paths, recursive: false }, signal)
  await uploadPackages(
    context,
    { repository: 'tools', files, suite: null, component: null, force: false },
    signal,
  )
}

/** As a client sees it. Every file that is named was there, with the bytes that were promised. */
async function treeOf(site: Site, suite = 'stable', path = latest): Promise<AptTree> {
  const tree = await readAptTree(site.published(path), suite)
  expect(tree.trouble).toEqual([])
  return tree
}

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

describe('a view of APT repositories that is published again', () => {
  const undated = async (site: Site) =>
    new Map(
      [...(await readTree(site.published(latest)))].filter(
        ([path]) => path.includes('dists/') && !path.includes('/by-hash/') && !/Release(\.gpg)?$/.test(path),
      ),
    )

  it('is the same where nothing changed', async () => {
    await using world = await openWorld()
    const { site } = world
    await site.publish('all')
    const before = await undated(site)

    const again = await site.publish('all')
    const forced = await site.publish('all', { force: true })

    expect(again.unchanged).toBe(true)
    expect(forced).toMatchObject({ unchanged: false })
    expect(await undated(site)).toEqual(before)
  })

  it('has the change of one member, goes back with all, and is frozen with all', async () => {
    await using world = await openWorld(['base', 'more', 'flat'])
    const { site, base } = world
    await site.publish('all')
    await site.snapshot('all@first')
    const before = await treeOf(site)

    base.show(aptFiles('v2'))
    await site.sync('flat')
    await site.publish('all')
    const flat = await treeOf(site, 'flat/')
    const after = await treeOf(site)
    const frozen = await site.publish('all@first')
    await site.rollBack(latest)

    expect([...flat.pool.keys()].sort()).toEqual([
      'flat/flat-lib_0.2_amd64.deb',
      'flat/flat-tool_1.0_all.deb',
    ])
    expect(after.indexes).toEqual(before.indexes)
    for (const path of [frozen.path, latest]) {
      expect((await treeOf(site, 'stable', path)).indexes).toEqual(before.indexes)
      expect([...(await treeOf(site, 'flat/', path)).pool.keys()]).toContain('flat/flat-lib_0.1_amd64.deb')
    }
  })

  it('is not made of a mirror that kept nothing of its packages', async () => {
    await using world = await openWorld(['more', 'base'], {})
    const { site } = world
    await site.reopen({ sections: { ...signing, ...viewOf(['more', 'base']) } })

    await expect(site.publish('all')).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: expect.stringContaining('base was synced as a verbatim mirror'),
      hint: expect.stringContaining('chantal repo sync base'),
    })
    await site.sync('base')
    expect(await site.publish('all')).toMatchObject({ path: latest, unchanged: false })
  })
})
