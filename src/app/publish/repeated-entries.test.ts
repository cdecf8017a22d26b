import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { demoFiles, showDemo, startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { type DemoFiles, editDocument, editPrimary } from '../../../tests/support/edited-demo.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import type { Upstream } from '../../../tests/upstream/upstream.ts'

/** What clients see, but for what states the time. */
async function contentOf(site: Site): Promise<readonly (readonly [string, string])[]> {
  const tree = await readTree(site.published('repositories/demo/latest'))
  return [...tree].filter(([path]) => path !== 'repodata/repomd.xml').sort()
}

/** Publishes beside the tree before, and says whether that is what publishing without one gives. */
async function isAsMadeAnew(site: Site): Promise<boolean> {
  await site.publish('demo')
  const repeated = await contentOf(site)
  await site.publish('demo', { force: true })
  expect(repeated).toEqual(await contentOf(site))
  return true
}

function show(upstream: Upstream, files: DemoFiles): void {
  for (const [name, content] of Object.entries(files)) upstream.put(name, content)
}

async function fileListsOf(site: Site): Promise<string> {
  const folder = site.published('repositories/demo/latest')
  const index = await readFile(join(folder, 'repodata/repomd.xml'), 'utf8')
  const [name = ''] = /repodata\/[0-9a-f]+-filelists\.xml\.gz/.exec(index) ?? []
  return gunzipSync(await readFile(join(folder, name))).toString()
}

describe('a tree made beside an earlier one', () => {
  it.each(['gzip', 'zstd', 'xz'])('is the one that is made without, in %s', async (compression) => {
    await using upstream = await startDemoUpstream()
    const demo = { id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered', rpm: { compression } }
    await using site = await openSite({ repositories: [demo] })
    for (const version of ['v1', 'v2', 'v1', 'v2'] as const) {
      showDemo(upstream, version)
      await site.sync('demo')

      expect(await isAsMadeAnew(site)).toBe(true)
    }
  })

  it.each([
    {
      what: 'a disk has damaged a document',
      damage: async (site: Site) => {
        const folder = site.published('repositories/demo/latest/repodata')
        const name = (await readdir(folder)).find((each) => each.endsWith('-filelists.xml.gz')) ?? ''
        const bytes = await readFile(join(folder, name))
        bytes.writeUInt8(bytes.readUInt8(bytes.byteLength >> 1) ^ 1, bytes.byteLength >> 1)
        await writeFile(join(folder, name), bytes)
      },
    },
    {
      what: 'the list of a shelf is lost',
      damage: (site: Site) => rm(site.published('.shelves/demo/1.manifest')),
    },
    {
      what: 'what it wants of a shelf is lost',
      damage: (site: Site) => rm(site.published('.shelves/demo/claims'), { recursive: true }),
    },
  ])('is made anew where of the earlier one $what', async ({ damage }) => {
    await using upstream = await startDemoUpstream()
    const demo = { id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }
    await using site = await openSite({ repositories: [demo] })
    await site.sync('demo')
    await site.publish('demo')
    showDemo(upstream, 'v2')
    await site.sync('demo')
    await damage(site)

    expect(await isAsMadeAnew(site)).toBe(true)
  })

  it('has the file list of a package that went and came back with another', async () => {
    const [without, back] = [{ ...demoFiles('v1') }, { ...demoFiles('v1') }]
    editPrimary(without, (text) =>
      text
        .replace(/<package type="rpm">\s*<name>demo-hello<\/name>[\s\S]*?<\/package>\s*/, '')
        .replace('packages="6"', 'packages="5"'),
    )
    editDocument(back, 'filelists', (text) => text.replaceAll('bin/demo-hello<', 'bin/demo-hello-again<'))
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
    })
    await site.sync('demo')
    await site.publish('demo')
    show(upstream, without)
    expect(await site.sync('demo')).toMatchObject({ removed: 1 })
    show(upstream, back)
    expect(await site.sync('demo')).toMatchObject({ added: 1 })

    expect(await isAsMadeAnew(site)).toBe(true)
    expect(await fileListsOf(site)).toContain('bin/demo-hello-again<')
  })
})
