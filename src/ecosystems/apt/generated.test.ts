import { realpath } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type AptTerms, aptModes, openAptSite } from '../../../tests/support/apt-site.ts'
import { type AptTree, fieldOf, readAptTree } from '../../../tests/support/apt-tree.ts'
import { type AptFiles, aptFiles, changeApt, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { readTree } from '../../../tests/support/site.ts'

const v1 = aptFiles('v1')
const amd64 = 'main/binary-amd64/Packages'

/** As apt-file, command-not-found, AppStream and the installer do. */
const programsAskFor = [
  'main/Contents-all',
  'main/Contents-amd64',
  'main/cnf/Commands-amd64',
  'main/dep11/Components-amd64.yml',
  'main/dep11/icons-48x48.tar',
  'main/i18n/Translation-de',
  'main/i18n/Translation-en',
  'main/installer-amd64/current/images/SHA256SUMS',
  'main/debian-installer/binary-amd64/Packages',
  'main/binary-amd64/Release',
  'main/source/Sources',
]

/** What is published of an upstream, read as a client does. */
async function published(
  terms: AptTerms,
  {
    files = v1,
    suite = 'stable',
    mode = 'filtered',
  }: { files?: AptFiles; suite?: string; mode?: string } = {},
): Promise<AptTree> {
  await using upstream = await startAptUpstream(files)
  await using site = await openAptSite(upstream.url, { suites: [suite], ...terms })
  await site.sync(mode)
  await site.publish(mode)
  const tree = await readAptTree(await realpath(site.published(`repositories/${mode}/latest`)), suite)
  expect(tree.trouble).toEqual([])
  return tree
}

const namesIn = (tree: AptTree, index: string) =>
  (tree.indexes.get(index) ?? []).map(
    (stanza) => `${fieldOf(stanza, 'Package')} ${fieldOf(stanza, 'Version')}`,
  )
/** By index, in any order. Those in the index for all architectures stand in the others as well. */
const stanzasOf = ({ indexes }: AptTree) =>
  new Map(
    [...indexes]
      .filter(
        ([name, { length }]) => /(Packages|Sources)$/.test(name) && !/binary-all/.test(name) && length > 0,
      )
      .map(([name, stanzas]) => [name, [...stanzas].sort()]),
  )
const textOf = (tree: AptTree, index: string) => (tree.indexes.get(index) ?? []).join('\n\n')

describe('the Release file of a generated tree', () => {
  const policy = [
    'NotAutomatic',
    'ButAutomaticUpgrades',
    'Valid-Until',
    'Origin',
    'Label',
    'Suite',
    'Codename',
  ]
  const said = ({ fields }: AptTree) => Object.fromEntries(policy.map((name) => [name, fields.get(name)]))
  const upstreams = {
    NotAutomatic: 'yes',
    ButAutomaticUpgrades: 'yes',
    Origin: 'Chantal',
    Label: 'Chantal',
    Suite: 'stable-updates',
    Codename: 'chantal-updates',
  }

  it.each([
    ['says what upstream says', {}, upstreams],
    [
      'says when it expires, counted from its own time',
      { valid_days: 7 },
      { ...upstreams, 'Valid-Until': 'Tue, 13 Jan 2026 00:00:00 UTC' },
    ],
    [
      'says what is configured',
      { origin: 'Example', label: null, suite: 'frozen', codename: 'ice', not_automatic: false },
      { Origin: 'Example', Suite: 'frozen', Codename: 'ice' },
    ],
    [
      'makes a suite one that nothing is upgraded from',
      { but_automatic_upgrades: false },
      { ...upstreams, ButAutomaticUpgrades: undefined },
    ],
  ])('%s', async (_, release, expected) => {
    const tree = await published({ generated: { release } }, { suite: 'stable-updates' })

    expect(said(tree)).toEqual(
      Object.fromEntries(
        policy.map((name) => [name, Object.entries(expected).find(([key]) => key === name)?.[1]]),
      ),
    )
  })

  it.each([
    ['upstream has them', {}, 'https://snapshot.chantal.example/@SNAPSHOTID@/'],
    [
      'they are configured',
      { snapshots: 'https://ours.example/@SNAPSHOTID@/' },
      'https://ours.example/@SNAPSHOTID@/',
    ],
    ['nowhere', { snapshots: null }, undefined],
  ])('sends clients for snapshots to where %s', async (_, release, expected) => {
    const { fields } = await published({ generated: { release } })

    expect(fields.get('Snapshots')).toBe(expected)
  })

  it('offers every index by its checksum, lists it as it is before compression, and names no key', async () => {
    const files = await changeApt(v1, {
      release: (text) =>
        text.replace(/^Codename: .*/m, '$&\nSigned-By: 0123456789ABCDEF0123456789ABCDEF01234567'),
    })

    const generated = await published({ options: { sources: true } }, { files })
    const mirrored = await published({ options: { sources: true } }, { files, mode: 'mirror' })

    expect(mirrored.fields.get('Signed-By')).toBe('0123456789ABCDEF0123456789ABCDEF01234567')
    expect(generated.fields.has('Signed-By')).toBe(false)
    expect(generated.fields.get('Acquire-By-Hash')).toBe('yes')
    const packed = [...generated.listed.keys()].filter((name) => /\.(gz|xz|zst)$/.test(name))
    expect(packed.length).toBeGreaterThan(10)
    expect(packed.filter((name) => !generated.listed.has(name.replace(/\.\w+$/, '')))).toEqual([])
  })

  it('lists all that upstream lists for programs other than apt', async () => {
    const tree = await published({ options: { sources: true, installer: true } })

    const listed = [...tree.listed.keys()].map((name) => name.replace(/\.(gz|xz)$/, ''))
    expect(listed).toEqual(expect.arrayContaining(programsAskFor))
    // They are between states of indexes that are not these.
    expect(listed.filter((name) => name.includes('Packages.diff'))).toEqual([])
    expect(tree.fields.get('Architectures')?.split(' ').sort()).toEqual(['all', 'amd64', 'i386'])
  })
})

describe('the indexes of a generated tree', () => {
  it('have stanzas as upstream has them, bytes that are not UTF-8 included', async () => {
    const upstream = await published({ options: { sources: true } }, { mode: 'mirror' })
    const tree = await published({ options: { sources: true } })

    expect(stanzasOf(tree)).toEqual(stanzasOf(upstream))
    expect(textOf(tree, 'contrib/binary-amd64/Packages')).toContain('Maintainer: J\xf6rg')
  })

  it.each([
    ['keep', ['greeter 1.0-1+u1'], '10'],
    ['release', ['greeter 1.0-1+u1'], null],
    ['hold', [], null],
  ])('with phased updates: %s', async (phased_updates, names, percentage) => {
    const tree = await published({ generated: { phased_updates } }, { suite: 'stable-updates' })

    expect(namesIn(tree, amd64)).toEqual(names)
    expect(fieldOf(textOf(tree, amd64), 'Phased-Update-Percentage')).toBe(percentage)
  })

  it.each([
    ['patterns', { patterns: { exclude: ['^greeter$'] } }],
    ['a section', { deb: { sections: { exclude: ['utils'] } } }],
    ['a query', { deb: { query: '!Package (= greeter), !Package (= greeter-data)' } }],
  ])('are filtered by %s, with all that accompanies packages', async (_, filters) => {
    const tree = await published({ filters })

    expect(namesIn(tree, amd64)).not.toContain('greeter 1.0-1')
    expect(namesIn(tree, amd64)).toContain('apt 1.0')
    expect(textOf(tree, 'main/i18n/Translation-de')).not.toContain('Package: greeter\n')
    expect(textOf(tree, 'main/i18n/Translation-en')).toContain('Package: apt\n')
    expect(textOf(tree, 'main/Contents-amd64')).not.toContain('usr/bin/greeter')
    expect(textOf(tree, 'main/Contents-amd64')).toContain('usr/share/minimal/apt')
    expect(textOf(tree, 'main/cnf/Commands-amd64')).not.toContain('name: greeter')
    expect(textOf(tree, 'main/dep11/Components-amd64.yml')).not.toContain('Package: greeter\n')
    expect(textOf(tree, 'main/dep11/Components-amd64.yml')).toContain('Package: libgreet1\n')
  })

  it.each([
    ['the newest version', { post_processing: { only_latest_version: true } }, ['greeter 1.0-1']],
    ['two versions', { post_processing: { only_latest_n_versions: 2 } }, ['greeter 0.9-1', 'greeter 1.0-1']],
  ])('keep %s, by the order of dpkg', async (_, filters, names) => {
    const tree = await published({ filters })

    expect(namesIn(tree, amd64).filter((name) => name.startsWith('greeter '))).toEqual(names)
  })

  it('have no installer packages and no sources where those are not wanted', async () => {
    const tree = await published({ filters: { deb: { exclude_udebs: true } } })

    expect(namesIn(tree, 'main/debian-installer/binary-amd64/Packages')).toEqual([])
    expect([...tree.pool.keys()].filter((name) => /\.(udeb|dsc)$/.test(name))).toEqual([])
    expect([...tree.listed.keys()].filter((name) => name.includes('Sources'))).toEqual([])
  })

  it('have packages for all architectures where upstream has them', async () => {
    const together = await published({})
    const apart = await published({}, { suite: 'stable-updates' })

    expect(namesIn(together, 'main/binary-i386/Packages')).toContain('greeter-data 1.0-1')
    expect(namesIn(apart, 'main/binary-i386/Packages')).toEqual(['greeter 1.0-1+u1'])
    expect(namesIn(apart, 'main/binary-all/Packages')).toEqual(['greeter-data 1.0-1+u1'])
    expect(apart.fields.get('Architectures')?.split(' ').sort()).toEqual(['all', 'amd64', 'i386'])
  })
})

describe('the installer', () => {
  it.each(aptModes)('has the images that its list names: %s', async (mode) => {
    await using upstream = await startAptUpstream(v1)
    await using site = await openAptSite(upstream.url, { options: { installer: true } })

    await site.sync(mode)
    await site.publish(mode)

    const images = 'dists/stable/main/installer-amd64/current/images'
    const tree = await readTree(site.published(`repositories/${mode}/latest`))
    const list = Buffer.from(v1[`${images}/SHA256SUMS`] ?? '').toString()
    const listed = [...list.matchAll(/^(\w{64}) {2}\.\/(.*)$/gm)]
    expect(listed).toHaveLength(3)
    for (const [, digest, name] of listed) expect(tree.get(`${images}/${name}`)).toBe(digest)
  })
})
