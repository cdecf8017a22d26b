import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAptTree } from '../../../tests/support/apt-tree.ts'
import {
  type AptState,
  type AptUpstream,
  aptDates,
  aptFiles,
  aptKeyFile,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, readTree, type Site, signingKey } from '../../../tests/support/site.ts'

const latest = 'repositories/apt/latest'
const day = 86_400_000

/** Signed as it would be by real archives: the second state after the first, whatever is shown. */
async function show(upstream: AptUpstream, state: AptState, minute: number): Promise<void> {
  const date = new Date(aptDates.v2.getTime() + minute * 60_000)
  const release = (text: string) => text.replace(/^Date: .*/m, `Date: ${date.toUTCString()}`)
  upstream.show(await changeApt(aptFiles(state), { release }))
}

const repository = (upstream: AptUpstream, options: object = {}) => ({
  ...{ id: 'apt', type: 'apt', mode: 'filtered', feed: upstream.url.href },
  apt: { suites: ['stable'], sources: true, ...options },
  verify: { keys: [aptKeyFile('archive')] },
})

async function open(upstream: AptUpstream, options: object = {}, now = () => new Date()): Promise<Site> {
  const { privateKey } = await signingKey()
  return openSite({
    repositories: [repository(upstream, options)],
    sections: { signing: { key_file: 'key.asc' } },
    files: { 'key.asc': privateKey },
    now,
  })
}

/** Both states are synced and published, one after the other. @param before each of them */
async function publishBoth(upstream: AptUpstream, site: Site, before: () => void = () => {}): Promise<void> {
  for (const [minute, state] of (['v1', 'v2'] as const).entries()) {
    before()
    await show(upstream, state, minute)
    await site.sync('apt')
    await site.publish('apt')
  }
}

const releaseOf = (site: Site) => readFile(join(site.published(latest), 'dists/stable/Release'), 'utf8')
const dateOf = (text: string) => new Date(/^Date: (.*)$/m.exec(text)?.[1] ?? '')
const isDated = (path: string) => /\/(InRelease|Release|Release\.gpg)$/.test(path)

/** The metadata of a tree, without what it keeps for clients that are midway. */
async function undated(site: Site): Promise<ReadonlyMap<string, string>> {
  const tree = await readTree(site.published(latest))
  return new Map(
    [...tree].filter(([path]) => path.startsWith('dists/') && !isDated(path) && !path.includes('/by-hash/')),
  )
}

describe('a generated APT tree', () => {
  it('that shows again what it did is the same but for its date, which rises', async () => {
    await using upstream = await startAptUpstream()
    await using site = await open(upstream)
    const trees: ReadonlyMap<string, string>[] = []
    const releases: string[] = []
    for (const [minute, state] of (['v1', 'v2', 'v1'] as const).entries()) {
      await show(upstream, state, minute)
      await site.sync('apt')
      await site.publish('apt')
      trees.push(await undated(site))
      releases.push(await releaseOf(site))
    }

    expect(trees[2]).toEqual(trees[0])
    expect(trees[1]).not.toEqual(trees[0])
    const withoutDate = releases.map((text) => text.replace(/^Date: .*/m, ''))
    expect(withoutDate[2]).toBe(withoutDate[0])
    const dates = releases.map((text) => dateOf(text).getTime())
    expect(dates).toEqual([...new Set(dates)].sort((a, b) => a - b))
  })

  it('that is repeated has a new date, and is valid for as long as before', async () => {
    await using upstream = await startAptUpstream()
    await using site = await open(upstream, { release: { valid_days: 3 } })
    await publishBoth(upstream, site)
    const before = await releaseOf(site)

    await site.rollBack(latest)

    const after = await releaseOf(site)
    const until = new Date(/^Valid-Until: (.*)$/m.exec(after)?.[1] ?? '')
    expect(dateOf(after).getTime()).toBeGreaterThan(dateOf(before).getTime())
    expect(until.getTime() - dateOf(after).getTime()).toBe(3 * 86_400_000)
    const tree = await readAptTree(site.published(latest), 'stable')
    expect(tree.trouble).toEqual([])
    expect(tree.indexes.get('main/binary-amd64/Packages')?.join()).not.toContain('greeter-extra')
  })

  it('is made anew for its time alone before clients refuse it, and is no step of a way back', async () => {
    let now = new Date(Math.floor(Date.now() / 1000) * 1000)
    await using upstream = await startAptUpstream()
    await using site = await open(upstream, { release: { valid_days: 4 } }, () => now)
    await publishBoth(upstream, site, () => {
      now = new Date(now.getTime() + 60_000)
    })
    const first = await undated(site)
    const nightly: boolean[] = []
    for (let night = 1; night <= 4; night += 1) {
      now = new Date(now.getTime() + day)
      nightly.push((await site.publish('apt')).unchanged)
    }

    const release = await releaseOf(site)
    const again = await undated(site)
    await site.rollBack(latest)

    expect(nightly).toEqual([true, false, true, false])
    expect(dateOf(release)).toEqual(now)
    expect(release).toContain(
      `Valid-Until: ${new Date(now.getTime() + 4 * day).toUTCString().replace('GMT', 'UTC')}`,
    )
    expect(again).toEqual(first)
    const tree = await readAptTree(site.published(latest), 'stable')
    expect(tree.trouble).toEqual([])
    expect(tree.indexes.get('main/binary-amd64/Packages')?.join()).not.toContain('greeter-extra')
  })

  it('that a path is held at is made anew for its time, and held as before', async () => {
    let now = new Date(Math.floor(Date.now() / 1000) * 1000)
    await using upstream = await startAptUpstream()
    await using site = await open(upstream, { release: { valid_days: 4 } }, () => now)
    await publishBoth(upstream, site, () => {
      now = new Date(now.getTime() + 60_000)
    })
    now = new Date(now.getTime() + 60_000)
    await site.rollBack(latest)
    const held = await undated(site)
    const since = now.toISOString()
    const nightly: object[] = []
    for (let night = 1; night <= 4; night += 1) {
      now = new Date(now.getTime() + day)
      nightly.push(await site.publish('apt').catch((error) => ({ code: error.code, ...error.details })))
    }

    const refused = { code: 'PATH_HELD', path: latest, held_since: since }
    expect(nightly).toEqual([false, true, false, true].map((renewed) => ({ ...refused, renewed })))
    expect(dateOf(await releaseOf(site))).toEqual(now)
    expect(await undated(site)).toEqual(held)
    const { trouble } = await readAptTree(site.published(latest), 'stable')
    expect(trouble).toEqual([])
  })

  it('that a path is held at stays as it is where it would not show the same now', async () => {
    let now = new Date(Math.floor(Date.now() / 1000) * 1000)
    await using upstream = await startAptUpstream()
    await using site = await open(upstream, { release: { valid_days: 4 } }, () => now)
    await publishBoth(upstream, site, () => {
      now = new Date(now.getTime() + 60_000)
    })
    await site.rollBack(latest)
    const before = await releaseOf(site)
    await site.reopen({ repositories: [repository(upstream, { release: { valid_days: 4, label: 'Ours' } })] })
    now = new Date(now.getTime() + 3 * day)

    const refused = await site.publish('apt').catch((error) => error.details.renewed)

    expect(refused).toBe(false)
    expect(await releaseOf(site)).toBe(before)
  })

  it('is not made anew for its time while syncs fail: newer packages may be withheld from us', async () => {
    let now = new Date(Math.floor(Date.now() / 1000) * 1000)
    await using upstream = await startAptUpstream()
    await using site = await open(upstream, { release: { valid_days: 4 } }, () => now)
    await show(upstream, 'v2', 1)
    await site.sync('apt')
    await site.publish('apt')
    await show(upstream, 'v1', 0)
    const nightly: [failed: string | undefined, unchanged: boolean][] = []
    for (let night = 1; night <= 3; night += 1) {
      now = new Date(now.getTime() + day)
      const { error } = await site.trySync('apt')
      nightly.push([error?.code, (await site.publish('apt')).unchanged])
    }
    await show(upstream, 'v2', 2)
    await site.sync('apt')

    expect(nightly).toEqual(Array.from({ length: 3 }, () => ['UPSTREAM_STALE', true]))
    expect((await site.publish('apt')).unchanged).toBe(false)
  })

  it('of a snapshot has all that was frozen, whatever is configured by then', async () => {
    await using upstream = await startAptUpstream()
    await using site = await open(upstream)
    await site.sync('apt')
    await site.snapshot('apt@all')

    const less = { components: ['contrib'], architectures: ['i386'], sources: false }
    await site.reopen({ repositories: [repository(upstream, less)] })
    await site.sync('apt')
    await site.publish('apt@all')
    await site.publish('apt')

    const all = await readAptTree(site.published('repositories/apt/snapshots/all'), 'stable')
    const rest = await readAptTree(site.published(latest), 'stable')
    expect([all.trouble, rest.trouble]).toEqual([[], []])
    expect(all.fields.get('Components')?.split(' ').sort()).toEqual(['contrib', 'main'])
    expect(all.indexes.get('main/binary-amd64/Packages')).toHaveLength(8)
    expect(all.indexes.get('main/source/Sources')).toHaveLength(3)
    expect(rest.fields.get('Components')).toBe('contrib')
    expect([...rest.indexes.keys()].filter((name) => /amd64|source/.test(name))).toEqual([])
  })

  it('says what is configured in place of what upstream says', async () => {
    await using upstream = await startAptUpstream()
    const release = {
      ...{ origin: 'Us', label: null, suite: 'ours', codename: 'ours-1', description: 'Our choice' },
      ...{ not_automatic: true, but_automatic_upgrades: true, changelogs: null },
    }
    await using site = await open(upstream, { release })
    await site.sync('apt')
    await site.publish('apt')

    const { fields } = await readAptTree(site.published(latest), 'stable')

    const said = [
      'Origin',
      'Label',
      'Suite',
      'Codename',
      'Description',
      'NotAutomatic',
      'ButAutomaticUpgrades',
    ]
    expect(said.map((name) => fields.get(name))).toEqual([
      'Us',
      undefined,
      'ours',
      'ours-1',
      'Our choice',
      'yes',
      'yes',
    ])
    expect(fields.has('Changelogs')).toBe(false)
    expect(fields.get('Version')).toBe('1.1')
  })
})
