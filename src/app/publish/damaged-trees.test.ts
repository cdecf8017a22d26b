import * as fs from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { verifyDatabase } from '../database/verify-database.ts'

const latest = 'repositories/demo/latest'
const generations = 'repositories/demo/.generations'

/** The only file below a published folder that looks so. */
async function find(site: Site, folder: string, pattern: RegExp): Promise<string> {
  const names = await fs.readdir(site.published(folder), { recursive: true })
  const found = names.filter((name) => pattern.test(name))
  expect(found).toHaveLength(1)
  return path.join(site.published(folder), found[0] ?? '')
}

/** One bit is another, as after a fault of a disk. */
async function flip(file: string): Promise<void> {
  const bytes = await fs.readFile(file)
  const middle = bytes.byteLength >> 1
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
  await fs.writeFile(file, bytes)
}

async function cut(file: string): Promise<void> {
  await fs.truncate(file, (await fs.stat(file)).size >> 1)
}

const document = (name: string) => (site: Site) => find(site, latest, new RegExp(`^repodata/.*${name}`))

const damages: Readonly<Record<string, (site: Site) => Promise<void>>> = {
  'a document has another byte': async (site) => flip(await document('primary.xml')(site)),
  'a document is cut': async (site) => cut(await document('primary.xml')(site)),
  'a document is gone': async (site) => fs.rm(await document('other.xml')(site)),
  'a document that is copied is gone': async (site) => fs.rm(await document('updateinfo')(site)),
  'the index has another byte': async (site) => flip(await document('repomd.xml$')(site)),
  'the index is cut': async (site) => cut(await document('repomd.xml$')(site)),
  'the index is gone': async (site) => fs.rm(await document('repomd.xml$')(site)),
  'everything is gone': async (site) => fs.rm(await fs.realpath(site.published(latest)), { recursive: true }),
  'the link to packages is gone': (site) => fs.rm(site.published(`${latest}/Packages`)),
  'the shelf is gone': (site) => fs.rm(site.published('.shelves/demo/1'), { recursive: true }),
}

const records: Readonly<Record<string, (site: Site) => Promise<string>>> = {
  notes: (site) => find(site, generations, /^latest@.*\.notes$/),
  'publish time': (site) => find(site, generations, /^latest@state$/),
  manifest: (site) => find(site, generations, /^latest@.*\.manifest$/),
  claim: (site) => find(site, '.shelves/demo/claims', /@/),
  'list of the shelf': (site) => find(site, '.shelves/demo', /^1\.manifest$/),
  'last sweep': (site) => find(site, '.shelves/demo', /^swept$/),
}

/** What is published after an earlier tree was damaged, and where. */
const ways = {
  'a snapshot of it': async (site: Site) => {
    await site.snapshot('demo@s')
    return { source: 'demo@s', at: 'repositories/demo/snapshots/s' }
  },
  'what came after it': async (site: Site, upstream: Parameters<typeof showDemo>[0]) => {
    showDemo(upstream, 'v2')
    await site.sync('demo')
    return { source: 'demo', at: latest }
  },
}

const cases = ['filtered', 'mirror'].flatMap((mode) =>
  Object.entries(ways).flatMap(([way, prepare]) =>
    Object.entries(damages).map(([what, damage]) => ({ mode, way, prepare, what, damage })),
  ),
)
const recordCases = Object.entries(ways).flatMap(([way, prepare]) =>
  Object.entries(records).flatMap(([what, fileOf]) =>
    [cut, (file: string) => fs.truncate(file)].map((damage) => ({ way, prepare, what, fileOf, damage })),
  ),
)

describe('where of an earlier tree', () => {
  it.each(cases)('$what, $way is made anew ($mode)', async ({ mode, prepare, damage }) => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode }],
    })
    await site.sync('demo')
    await site.publish('demo')
    const { source, at } = await prepare(site, upstream)
    await damage(site)

    await site.publish(source)

    const published = await contentOf(site, at)
    await site.publish(source, { force: true })
    expect(published).toEqual(await contentOf(site, at))
  })

  it.each(recordCases)('the $what is cut, $way is published', async ({ prepare, fileOf, damage }) => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
    })
    await site.sync('demo')
    const first = await site.publish('demo')
    const { source, at } = await prepare(site, upstream)
    await damage(await fileOf(site))

    const second = await site.publish(source)

    const published = await contentOf(site, at)
    const forced = await site.publish(source, { force: true })
    expect(published).toEqual(await contentOf(site, at))
    if (at === latest) expect(second.generation > first.generation).toBe(true)
    expect(forced.generation > second.generation).toBe(true)
  })

  it.each(['manifest', 'claim', 'list of the shelf'] as const)(
    'the %s is cut, verifying names it until what it belongs to is published anew',
    async (what) => {
      await using upstream = await startDemoUpstream()
      await using site = await openSite({
        repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      })
      await site.sync('demo')
      await site.publish('demo')
      const file = await records[what]?.(site)
      await cut(file ?? '')
      const verify = () =>
        verifyDatabase(site.context, { deep: true, repair: false }, new AbortController().signal)

      const before = await verify()
      await site.publish('demo', { force: true })
      const after = await verify()

      const named = path.relative(site.published(''), file ?? '')
      expect(before.flaws.map(({ message }) => message)).toContain(
        `lacks a record of what it holds, or it is damaged: ${named}`,
      )
      expect(after.flaws).toEqual([])
    },
  )

  it('the manifest is cut, it is published anew although nothing changed', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    await site.publish('demo')
    await cut((await records['manifest']?.(site)) ?? '')

    expect(await site.publish('demo')).toMatchObject({ unchanged: false })
    expect(await site.publish('demo')).toMatchObject({ unchanged: true })
  })

  it('packages are gone or cut on the shelf, publishing with force gives them back', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({ repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }] })
    await site.sync('demo')
    await site.publish('demo')
    const before = await contentOf(site, latest)
    const [gone = '', replaced = ''] = before.map(([name]) => site.published(`${latest}/${name}`))
    await fs.rm(gone)
    await fs.rm(replaced)
    await fs.writeFile(replaced, 'other')

    const forced = await site.publish('demo', { force: true })

    expect(await contentOf(site, latest)).toEqual(before)
    expect(forced.packageLinks).toBe(2)
  })

  it('a document has another byte, a rollback to it makes it anew', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
    })
    await site.sync('demo')
    await site.publish('demo')
    const before = await contentOf(site, latest)
    const first = path.basename(await fs.realpath(site.published(latest)))
    showDemo(upstream, 'v2')
    await site.sync('demo')
    await site.publish('demo')
    await flip(await find(site, `${generations}/${first}`, /^repodata\/.*primary\.xml/))

    await site.rollBack(latest)

    expect(await contentOf(site, latest)).toEqual(expect.arrayContaining([...before]))
  })
})

/** What clients see, but for what states the time and what is kept for those midway. */
async function contentOf(site: Site, published: string): Promise<readonly (readonly [string, string])[]> {
  const tree = await readTree(site.published(published))
  const index = await fs.readFile(site.published(`${published}/repodata/repomd.xml`), 'utf8')
  return [...tree]
    .filter(([name]) => name.endsWith('.rpm') || index.includes(`"${name}"`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
