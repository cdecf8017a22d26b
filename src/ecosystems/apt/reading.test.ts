import { describe, expect, it } from 'vitest'
import { readAptTree } from '../../../tests/support/apt-tree.ts'
import {
  type AptFiles,
  type AptUpstream,
  aptDates,
  aptFiles,
  aptKeyFile,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const suites = ['stable', 'stable-updates', 'old/updates']
const day = 86_400_000

function open(
  upstream: AptUpstream,
  options: object = {},
  more: object = {},
  now = new Date(aptDates.v1.getTime() + day),
): Promise<Site> {
  const repository = { id: 'apt', type: 'apt', feed: upstream.url.href, ...more }
  const verify = { keys: [aptKeyFile('archive')] }
  return openSite({
    repositories: [{ ...repository, apt: { suites: ['stable'], sources: true, ...options }, verify }],
    now: () => now,
    wait: async (_ms, signal) => signal.throwIfAborted(),
  })
}

async function published(site: Site, suite = 'stable') {
  await site.publish('apt')
  return readAptTree(site.published('repositories/apt/latest'), suite)
}

const without = (files: AptFiles, isGone: (name: string) => boolean): AptFiles =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !isGone(name)))

describe('of several mirrors of an APT upstream', () => {
  it('one that is down has nothing fail that the others list and do not have', async () => {
    await using down = await startUpstream()
    down.behave('*', { kind: 'status', status: 500 })
    await using upstream = await startAptUpstream()
    const listed = String(aptFiles('v1')['dists/stable/Release'])
    expect(listed).toMatch(/ main\/binary-amd64\/Packages$/m)
    expect(Object.keys(aptFiles('v1'))).not.toContain('dists/stable/main/binary-amd64/Packages')
    const feeds = [down.url.href, upstream.url.href]
    await using site = await open(upstream, {}, { feed: undefined, feeds })

    const result = await site.sync('apt')

    expect(result).toMatchObject({ status: 'synced', missing: [] })
    expect((await published(site)).trouble).toEqual([])
    expect(site.warnings('MIRROR_FAILED')).toEqual([expect.stringContaining(down.url.href)])
  })
})

describe('an APT upstream that has not changed', () => {
  it('costs one request for each suite', async () => {
    await using upstream = await startAptUpstream()
    await using site = await open(upstream, { suites })
    await site.sync('apt')
    upstream.forgetRequests()

    const result = await site.sync('apt')

    expect(result.status).toBe('unchanged')
    expect(upstream.requests.map(({ path, status }) => `${status} ${path}`).sort()).toEqual(
      suites.map((suite) => `304 dists/${suite}/InRelease`).sort(),
    )
  })

  it('costs two where it has no InRelease, and that is taken as soon as it is there with something new', async () => {
    const noInRelease = (name: string) => name.endsWith('stable/InRelease')
    await using upstream = await startAptUpstream(without(aptFiles('v1'), noInRelease))
    await using site = await open(upstream)
    await site.sync('apt')
    upstream.forgetRequests()

    const unchanged = await site.sync('apt')

    expect(unchanged.status).toBe('unchanged')
    expect(upstream.requests.map(({ path }) => path).sort()).toEqual([
      'dists/stable/Release',
      'dists/stable/Release.gpg',
    ])
    upstream.show(
      await changeApt(aptFiles('v1'), {
        release: (text) => `${text}`.replace('Version: 1.1', 'Version: 1.2'),
      }),
    )
    expect(await site.sync('apt')).toMatchObject({ status: 'synced', revision: 2 })
    const { trouble, fields } = await published(site)
    expect({ trouble, version: fields.get('Version') }).toEqual({ trouble: [], version: '1.2' })
  })
})

describe('an APT upstream that offers indexes by checksum', () => {
  const translation = 'main/i18n/Translation-en'
  const isByHash = (name: string) => name.includes('/by-hash/')
  const changedOnce = () =>
    changeApt(aptFiles('v1'), { indexes: { [translation]: (text) => text.replace('hello', 'good day') } })

  it('is read by checksum, so that it does no harm if fixed names have other content by then', async () => {
    const files = await changedOnce()
    const isIndex = (name: string) =>
      /\.(gz|xz|bz2)$/.test(name) && name.startsWith('dists/stable/') && !isByHash(name)
    await using upstream = await startAptUpstream(
      Object.fromEntries(
        Object.entries(files).map(([name, bytes]) => [
          name,
          isIndex(name) ? Buffer.from('of tomorrow') : bytes,
        ]),
      ),
    )
    await using site = await open(upstream)

    expect(await site.sync('apt')).toMatchObject({ status: 'synced', warnings: [] })

    expect((await published(site)).trouble).toEqual([])
  })

  it('may be a mirror that has them under their names alone, also for what changes later', async () => {
    await using upstream = await startAptUpstream(without(aptFiles('v1'), isByHash))
    await using site = await open(upstream)
    await site.sync('apt')

    upstream.show(without(await changedOnce(), isByHash))
    await site.sync('apt')

    const { trouble, indexes } = await published(site)
    expect(trouble).toEqual([])
    expect(indexes.get(translation)?.join()).toContain('good day')
  })
})

it('starts over where upstream moves on while it is read', async () => {
  const release = (text: string) => text.replaceAll(/^ .*\/by-hash\/.*\n/gm, '')
  const files = without(await changeApt(aptFiles('v2'), { release }), (name) => name.includes('/by-hash/'))
  await using upstream = await startAptUpstream(files)
  const before = aptFiles('v1')['dists/stable/InRelease'] ?? ''
  upstream.behave('dists/stable/InRelease', { kind: 'content', body: before, times: 1 })
  // A mirror would learn of it by the Release beside it, before any index.
  const filtered = { mode: 'filtered' }
  await using site = await open(upstream, {}, filtered, new Date(aptDates.v2.getTime() + day))

  const result = await site.sync('apt')

  expect(result).toMatchObject({ status: 'synced', revision: 1 })
  expect(upstream.requestsFor('dists/stable/InRelease')).toHaveLength(2)
  expect((await published(site)).trouble).toEqual([])
})

describe('a Release file that says little', () => {
  const bare = (text: string) => text.replaceAll(/^(Suite|Codename|Components|Date|Origin|Label): .*\n/gm, '')

  it.each(['mirror', 'filtered'])('is read by what it lists: %s', async (mode) => {
    const files = await changeApt(aptFiles('v1'), { release: bare })
    await using upstream = await startAptUpstream(files)
    await using site = await open(upstream, { sources: true }, { mode })

    const result = await site.sync('apt')

    expect(result).toMatchObject({ status: 'synced', packages: 20 })
    const { trouble, fields } = await published(site)
    expect(trouble).toEqual([])
    if (mode === 'filtered') expect(fields.get('Components')).toBe('contrib main')
  })
})

describe('a flat repository', () => {
  const moved = (folder: string) =>
    Object.fromEntries(
      Object.entries(aptFiles('v1')).flatMap(([name, bytes]) => {
        if (!name.startsWith('flat/')) return []
        const isOfSuite = !name.endsWith('.deb')
        return [[isOfSuite ? name.replace('flat/', folder) : name.replace('flat/', ''), bytes]]
      }),
    )

  it.each([
    ['nest/', 'mirror'],
    ['nest/', 'filtered'],
    ['dists/stable/', 'mirror'],
    ['dists/stable/', 'filtered'],
  ])('may lie in a folder: %s, %s', async (folder, mode) => {
    await using upstream = await startAptUpstream(moved(folder))
    await using site = await open(upstream, { suites: [folder] }, { mode })

    expect(await site.sync('apt')).toMatchObject({ status: 'synced', packages: 2 })

    const { trouble, pool } = await published(site, folder)
    expect(trouble).toEqual([])
    expect([...pool.keys()].sort()).toEqual(['flat-lib_0.1_amd64.deb', 'flat-tool_1.0_all.deb'])
  })

  it.each([
    ['dists/stable/', aptFiles('v1'), 'a suite such as "bookworm" has no slash'],
    ['stable', moved('dists/stable/'), 'is called "dists/stable/"'],
  ])('that is configured as the other kind is told: %s', async (suite, files, hint) => {
    await using upstream = await startAptUpstream(files)
    await using site = await open(upstream, { suites: [suite] })

    const { cause } = await site.trySync('apt')

    expect(cause).toMatchObject({ code: 'UPSTREAM_INVALID', hint: expect.stringContaining(hint) })
  })
})

it('takes of each suite what was chosen, and says which lacks an architecture', async () => {
  await using upstream = await startAptUpstream()
  const chosen = { suites, components: ['main'], architectures: ['amd64', 'i386'], sources: false }
  await using site = await open(upstream, chosen, { mode: 'filtered' })

  await site.sync('apt')

  expect(site.warnings('METADATA_MISSING')).toEqual(['dists/old/updates/Release lists no index for i386'])
  const trees = [await published(site)]
  for (const suite of suites.slice(1)) trees.push(await published(site, suite))
  expect(trees.flatMap(({ trouble }) => trouble)).toEqual([])
  expect(trees.map(({ fields }) => fields.get('Components'))).toEqual(['main', 'main', 'updates/main'])
  expect(trees.map(({ fields }) => fields.get('NotAutomatic'))).toEqual([undefined, 'yes', undefined])
  expect(trees[2]?.indexes.get('main/binary-amd64/Packages')?.join()).toContain('Package: old-fix')
})

it('takes what it has of a suite that lacks a component or source packages, and says so', async () => {
  await using upstream = await startAptUpstream()
  const chosen = { suites, components: ['main', 'contrib'], architectures: ['amd64'] }
  await using site = await open(upstream, chosen, { mode: 'filtered' })

  await site.sync('apt')

  expect(site.warnings('METADATA_MISSING').toSorted()).toEqual([
    'dists/old/updates/Release lists no component contrib',
    'dists/old/updates/Release lists no index of source packages',
    'dists/stable-updates/Release lists no component contrib',
  ])
  const trees = [await published(site)]
  for (const suite of suites.slice(1)) trees.push(await published(site, suite))
  expect(trees.flatMap(({ trouble }) => trouble)).toEqual([])
  expect(trees.map(({ fields }) => fields.get('Components'))).toEqual([
    'main contrib',
    'main',
    'updates/main',
  ])
})

it('says which languages no suite has, but for English, which needs no translation', async () => {
  await using upstream = await startAptUpstream()
  const chosen = { suites, components: ['main'], architectures: ['amd64'], sources: false }
  await using site = await open(upstream, { ...chosen, languages: ['en', 'de', 'xx', 'yy'] })
  await using plain = await open(upstream, { ...chosen, suites: ['old/updates'], languages: ['en'] })

  await site.sync('apt')
  await plain.sync('apt')

  expect(site.warnings('METADATA_MISSING')).toEqual([
    'no suite lists a translation of descriptions to xx, yy',
  ])
  expect(plain.warnings('METADATA_MISSING')).toEqual([])
})

it.each([[['main', 'mian']], [['mian']]])('refuses a component that no suite has: %j', async (components) => {
  await using upstream = await startAptUpstream()
  await using site = await open(upstream, { suites, components })

  const { cause } = await site.trySync('apt')

  expect(cause).toMatchObject({
    code: 'UPSTREAM_INVALID',
    message: 'suite stable has no component mian',
    hint: 'It has main, contrib; correct "apt.components".',
  })
})

describe('updates that upstream has released to some machines', () => {
  const folder = 'dists/stable-updates'
  const update = { folder, indexes: { 'main/binary-amd64/Packages': updated } }
  function updated(text: string): string {
    return text
      .replaceAll('1.0-1+u1', '1.0-1+u2')
      .replace(/(Package: greeter\n)/, '$1Phased-Update-Percentage: 20\n')
  }
  const greeters = async (site: Site) =>
    ((await published(site, 'stable-updates')).indexes.get('main/binary-amd64/Packages') ?? []).flatMap(
      (stanza) => /^Package: greeter\n[\s\S]*^Version: (.*)$/m.exec(stanza)?.[1] ?? [],
    )
  const released = (text: string) => text.replaceAll(/^Phased-Update-Percentage: .*\n/gm, '')
  const isOfUpdate = (text: string) => updated(released(text))

  it('are held back if that is wanted, and what was held before them stays', async () => {
    const all = await changeApt(aptFiles('v1'), {
      ...update,
      indexes: { 'main/binary-amd64/Packages': released },
    })
    const some = await changeApt(withDeb(all), {
      ...update,
      indexes: { 'main/binary-amd64/Packages': isOfUpdate },
    })
    await using upstream = await startAptUpstream(all)
    const chosen = {
      suites: ['stable-updates'],
      sources: false,
      architectures: ['amd64'],
      phased_updates: 'hold',
    }
    await using site = await open(upstream, chosen, { mode: 'filtered' })
    await site.sync('apt')
    expect(await greeters(site)).toEqual(['1.0-1+u1'])

    upstream.show(some)
    await site.sync('apt')
    expect(await greeters(site)).toEqual(['1.0-1+u1'])
    expect(await site.sync('apt', { force: true })).toMatchObject({ status: 'unchanged' })

    upstream.show(await changeApt(some, { folder, indexes: { 'main/binary-amd64/Packages': released } }))
    await site.sync('apt')
    expect(await greeters(site)).toEqual(['1.0-1+u2'])
  })

  it('are held back no more once they were published, whatever upstream says of them then', async () => {
    const all = await changeApt(aptFiles('v1'), {
      ...update,
      indexes: { 'main/binary-amd64/Packages': released },
    })
    const stopped = await changeApt(all, {
      ...update,
      indexes: {
        'main/binary-amd64/Packages': (text) =>
          text.replace(/(Package: greeter\n)/, '$1Phased-Update-Percentage: 0\n'),
      },
    })
    await using upstream = await startAptUpstream(all)
    const chosen = { suites: ['stable-updates'], sources: false, architectures: ['amd64'] }
    await using site = await open(upstream, { ...chosen, phased_updates: 'hold' }, { mode: 'filtered' })
    await site.sync('apt')

    upstream.show(stopped)
    await site.sync('apt')

    expect(await greeters(site)).toEqual(['1.0-1+u1'])
  })

  it('are left out of a repository that has nothing in their place', async () => {
    await using upstream = await startAptUpstream()
    const chosen = { suites: ['stable-updates'], sources: false, phased_updates: 'hold' }
    await using site = await open(upstream, chosen, { mode: 'filtered' })

    await site.sync('apt')

    expect(await greeters(site)).toEqual([])
  })

  it('are for all machines if that is wanted', async () => {
    await using upstream = await startAptUpstream()
    const chosen = { suites: ['stable-updates'], sources: false, phased_updates: 'release' }
    await using site = await open(upstream, chosen, { mode: 'filtered' })

    await site.sync('apt')

    const { indexes, trouble } = await published(site, 'stable-updates')
    expect(trouble).toEqual([])
    expect(await greeters(site)).toEqual(['1.0-1+u1'])
    expect(JSON.stringify([...indexes])).not.toContain('Phased')
  })
})

/** With the packages of the update under the names of the next. */
function withDeb(files: AptFiles): AptFiles {
  const next = Object.entries(files).flatMap(([name, bytes]) =>
    name.includes('1.0-1+u1') ? [[name.replace('1.0-1+u1', '1.0-1+u2'), bytes] as const] : [],
  )
  return { ...files, ...Object.fromEntries(next) }
}
