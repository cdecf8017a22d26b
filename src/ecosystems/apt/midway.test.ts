import { describe, expect, it } from 'vitest'
import { aptModes, openAptSite } from '../../../tests/support/apt-site.ts'
import { fieldOf, readAptTree } from '../../../tests/support/apt-tree.ts'
import { type AptFiles, aptDates, aptFiles, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { filesBelow, type Site } from '../../../tests/support/site.ts'
import { startGate } from '../../../tests/upstream/gate.ts'

const day = 24 * 60 * 60 * 1000
const now = new Date(aptDates.v2.getTime() + day)
const v1 = aptFiles('v1')
const v2 = aptFiles('v2')
/** Archives keep packages for a while after no index lists them. */
const v2WithOldPackages = { ...pool(v1), ...v2 }
const v2WithoutOldIndexes = Object.fromEntries(
  Object.entries(v2).filter(([name]) => !name.includes('/by-hash/')),
)
const options = { check_valid_until: false }

function pool(files: AptFiles): AptFiles {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith('pool/')))
}

/** Versions of greeter that a published tree has, which must be whole. */
async function publishedVersions(
  site: Site,
  mode: string,
  suite: string,
): Promise<readonly (string | null)[]> {
  await site.publish(mode)
  const tree = await readAptTree(site.published(`repositories/${mode}/latest`), suite)
  expect(tree.trouble).toEqual([])
  const stanzas = tree.indexes.get('main/binary-amd64/Packages') ?? []
  return stanzas
    .filter((stanza) => fieldOf(stanza, 'Package') === 'greeter')
    .map((stanza) => fieldOf(stanza, 'Phased-Update-Percentage') ?? fieldOf(stanza, 'Version'))
    .sort()
}

describe('an APT upstream that moves on while it is read', () => {
  it.each(aptModes)('is read as it was where indexes are found by checksum: %s', async (mode) => {
    await using upstream = await startAptUpstream(v1)
    await using gate = await startGate(upstream.url.href.replace(/\/$/, ''), async (path) => {
      if (!/\/(InRelease|Release|Release\.gpg)$/.test(path)) upstream.show(v2WithOldPackages)
    })
    await using site = await openAptSite(new URL(gate.url), { now, options: { ...options, sources: true } })

    await site.sync(mode)
    const first = await publishedVersions(site, mode, 'stable')
    await site.sync(mode)
    const second = await publishedVersions(site, mode, 'stable')

    expect(first).toEqual(['0.9-1', '1.0-1'])
    expect(second).toEqual(['1.0-1', '1.1-1'])
  })

  it.each(aptModes)('is read over where they are not: %s', async (mode) => {
    await using upstream = await startAptUpstream(v1)
    await using gate = await startGate(upstream.url.href.replace(/\/$/, ''), async (path) => {
      if (path.includes('/main/')) upstream.show(v2)
    })
    await using site = await openAptSite(new URL(gate.url), {
      now,
      suites: ['stable-updates'],
      options: { ...options, sources: true },
    })

    const { status } = await site.sync(mode)

    expect(status).toBe('synced')
    expect(await publishedVersions(site, mode, 'stable-updates')).toEqual(['50'])
  })

  it('is read over where its Release is newer than its InRelease; where it stays so, it is left out', async () => {
    await using upstream = await startAptUpstream(v1)
    await using gate = await startGate(upstream.url.href.replace(/\/$/, ''), async (path) => {
      if (path.endsWith('/Release')) upstream.show(v2)
    })
    await using site = await openAptSite(new URL(gate.url), { now, options: { ...options, sources: true } })
    await using torn = await startAptUpstream({
      ...v1,
      'dists/stable/Release': v2['dists/stable/Release'] ?? Buffer.of(),
    })
    await using other = await openAptSite(torn.url, { now, options })

    const read = await site.sync('mirror')
    const { status, warnings } = await other.sync('mirror')

    expect(read).toMatchObject({ status: 'synced', revision: 1, warnings: [] })
    expect(await publishedVersions(site, 'mirror', 'stable')).toEqual(['1.0-1', '1.1-1'])
    expect(await filesBelow(site.published('repositories/mirror/latest/dists/stable'))).toContain('Release')
    expect([status, warnings.map(({ code }) => code)]).toEqual(['synced', ['METADATA_DROPPED']])
  })
})

describe('an APT upstream that moves on after its packages were listed', () => {
  it.each(
    aptModes.flatMap(
      (mode) =>
        [
          [mode, 'packages that are gone by then', /^\/pool\//],
          [mode, 'what accompanies packages, and has changed', /\/stable\/main\/(by-hash\/|Contents-)/],
        ] as const,
    ),
  )('is read over: %s, %s', async (mode, _, pattern) => {
    await using upstream = await startAptUpstream(v1)
    await using gate = await startGate(upstream.url.href.replace(/\/$/, ''), async (path) => {
      if (pattern.test(path)) upstream.show(v2WithoutOldIndexes)
    })
    await using site = await openAptSite(new URL(gate.url), { now, options: { ...options, sources: true } })

    const { status, revision, warnings } = await site.sync(mode)

    expect({ status, revision, warnings }).toEqual({ status: 'synced', revision: 1, warnings: [] })
    expect(await publishedVersions(site, mode, 'stable')).toEqual(['1.0-1', '1.1-1'])
  })

  it('is not read over where it has not: what was wrong is said at once', async () => {
    await using upstream = await startAptUpstream(v1)
    const gone = Object.keys(v1).find((name) => name.endsWith('/greeter_1.0-1_amd64.deb')) ?? ''
    upstream.remove(gone)
    await using site = await openAptSite(upstream.url, { now, options })

    const { status } = await site.trySync('mirror')

    expect(status).toBe('partial')
    expect(upstream.requestsFor(gone)).toHaveLength(1)
    expect(upstream.requestsFor('dists/stable/InRelease')).toHaveLength(2)
  })
})

describe('an APT upstream that signs in another way than before', () => {
  it('has no InRelease in its mirror any more once it has none itself', async () => {
    const isInRelease = (name: string) => name === 'dists/stable/InRelease'
    await using upstream = await startAptUpstream(v1)
    await using site = await openAptSite(upstream.url, { now, options })
    const documents = async () => {
      await site.sync('mirror')
      await site.publish('mirror')
      const names = await filesBelow(site.published('repositories/mirror/latest/dists/stable'))
      return names.filter((name) => !name.includes('/'))
    }

    const before = await documents()
    upstream.show(Object.fromEntries(Object.entries(v2).filter(([name]) => !isInRelease(name))))
    const after = await documents()
    upstream.show(v2)
    const again = await documents()

    expect(before).toEqual(['InRelease', 'Release', 'Release.gpg'])
    expect(after).toEqual(['Release', 'Release.gpg'])
    expect(again).toEqual(after)
  })
})
