import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { demoFiles, demoKey, showDemo, startDemoUpstream } from './support/demo-upstream.ts'
import { openSite, type Site } from './support/site.ts'
import { startUpstream, type Upstream } from './upstream/upstream.ts'

const repomd = 'repodata/repomd.xml'
const treeinfo = '[general]\nfamily = Demo\nversion = 1\n'

/** As mirror managers write it: what repomd.xml is now, and who has it. */
function metalinkTo(mirrors: readonly Upstream[], version: 'v1' | 'v2'): string {
  const bytes = demoFiles(version)[repomd] ?? Buffer.of()
  const hex = createHash('sha256').update(bytes).digest('hex')
  const urls = mirrors.map(
    ({ url }, index) =>
      `<url protocol="http" type="http" preference="${100 - index}">${new URL(repomd, url).href}</url>`,
  )
  return `<?xml version="1.0"?><metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="repomd.xml">
<size>${bytes.byteLength}</size><verification><hash type="sha256">${hex}</hash></verification>
<resources>${urls.join('\n')}</resources></file></files></metalink>`
}

/** A mirror that answers no request well. */
async function startDeadMirror(): Promise<Upstream> {
  const paths = [...Object.keys(demoFiles('v2')), ...probed]
  const upstream = await startUpstream({ files: demoFiles('v2') })
  for (const path of paths) upstream.behave(path, { kind: 'status', status: 503 })
  return upstream
}

/** What a sync asks for that the demonstration has not. */
const probed = ['.treeinfo', 'treeinfo', 'extra_files.json', 'media.repo', 'repodata/repomd.xml.key']

const openWith = (list: Upstream): Promise<Site> =>
  openSite({
    repositories: [
      { id: 'demo', type: 'rpm', metalink: new URL('metalink', list.url).href, verify: { keys: [demoKey] } },
    ],
    sections: { download: { retries: 0 } },
  })

describe('of the mirrors that a metalink lists', () => {
  it('one that is down, one that is stale and one that lacks packages are named, and harm nothing', async () => {
    await using dead = await startDeadMirror()
    await using stale = await startDemoUpstream()
    await using lacking = await startDemoUpstream()
    await using good = await startDemoUpstream()
    showDemo(lacking, 'v2')
    showDemo(good, 'v2')
    const missing = Object.keys(demoFiles('v2')).filter((path) => path.startsWith('Packages/'))
    for (const path of missing) lacking.remove(path)
    await using list = await startUpstream({
      files: { metalink: metalinkTo([dead, stale, lacking, good], 'v2') },
    })
    await using site = await openWith(list)

    const result = await site.sync('demo')

    expect(result).toMatchObject({ status: 'synced', packages: 6 })
    expect(site.warnings('MIRROR_STALE')).toEqual([expect.stringContaining(String(stale.url))])
    expect(site.warnings('MIRROR_FAILED')).toEqual(
      expect.arrayContaining([dead, lacking].map(({ url }) => expect.stringContaining(String(url)))),
    )
  })

  it('one that lacks an optional file while the others are down does not have it given up', async () => {
    await using first = await startDemoUpstream({ files: { '.treeinfo': treeinfo } })
    await using second = await startDemoUpstream()
    await using list = await startUpstream({ files: { metalink: metalinkTo([first, second], 'v1') } })
    await using site = await openWith(list)
    await site.sync('demo')
    showDemo(second, 'v2')
    list.put('metalink', metalinkTo([first, second], 'v2'))
    for (const path of [...Object.keys(demoFiles('v2')), ...probed])
      first.behave(path, { kind: 'status', status: 503 })

    const result = await site.trySync('demo')

    expect(result).toMatchObject({ status: 'failed', revision: 1, error: { code: 'UPSTREAM_UNREACHABLE' } })
  })

  it('a few are asked for what nothing promises, and all for what was held', async () => {
    const mirrors = await Promise.all(Array.from({ length: 6 }, () => startDemoUpstream()))
    await using closing = new AsyncDisposableStack()
    for (const mirror of mirrors) closing.use(mirror)
    await using list = await startUpstream()
    await using site = await openWith(list)
    const key = 'repodata/repomd.xml.key'
    const asked: (readonly boolean[])[] = []
    // The mirrors that have a key, sync by sync.
    for (const [version, having] of [
      ['v1', []],
      ['v2', mirrors],
      ['v1', mirrors.slice(-1)],
    ] as const) {
      for (const mirror of mirrors) {
        showDemo(mirror, version)
        mirror.remove(key)
      }
      for (const mirror of having) mirror.put(key, 'a key')
      list.put('metalink', metalinkTo(mirrors, version))
      const before = mirrors.map(({ requests }) => requests.length)
      expect(await site.sync('demo')).toMatchObject({ status: 'synced' })
      asked.push(
        mirrors.map(({ requests }, index) => requests.slice(before[index]).some(({ path }) => path === key)),
      )
    }

    expect(asked).toEqual([
      [true, true, true, false, false, false],
      [true, false, false, false, false, false],
      [true, true, true, true, true, true],
    ])
  })
})
