import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { parseSha256 } from '../src/core/digest.ts'
import { parseRelativePath } from '../src/core/path.ts'
import { isMetadata, roleOf } from '../src/ecosystems/rpm/mirror-publisher.ts'
import { aptKeyFile, startAptUpstream } from './support/apt-upstream.ts'
import { filesBelow, openSite, signingKey } from './support/site.ts'
import { startUpstream } from './upstream/upstream.ts'

const guide = readFileSync(path.join(import.meta.dirname, '../docs/guide/publishing.md'), 'utf8')
const fileOf = (name: string) => ({
  path: parseRelativePath(name),
  digest: parseSha256('0'.repeat(64)),
  size: 0,
})

/** The names that the guide's nginx tells clients and caches to ask for again. */
const again = new RegExp(
  /location ~ "([^"]+)" \{\s+add_header Cache-Control "no-cache";/.exec(guide)?.[1] ?? '^$',
)

it('has a web server let caches keep only what is named after its checksum', async () => {
  await using upstream = await startUpstream({ folder: 'assets/demo/v1', files: { treeinfo: '[tree]\n' } })
  const base = { type: 'rpm', feed: upstream.url }
  await using site = await openSite({
    repositories: [
      { ...base, id: 'mirror' },
      { ...base, id: 'generated', mode: 'filtered', signing: { key_file: 'key.asc' } },
    ],
    files: { 'key.asc': (await signingKey()).privateKey },
  })
  const names = new Set([
    '.treeinfo',
    'extra_files.json',
    'repodata/repomd.xml.key',
    'repodata/primary.xml.gz',
  ])
  for (const id of ['mirror', 'generated']) {
    await site.sync(id)
    await site.publish(id)
    for (const name of await filesBelow(site.published(`repositories/${id}/latest`))) names.add(name)
  }

  const asked = [...names].filter((name) => again.test(`/repositories/some/latest/${name}`))

  const changing = [...names].filter(
    (name) => name === 'key.asc' || (isMetadata(fileOf(name)) && roleOf(fileOf(name)) !== 'addressed'),
  )
  expect(names).toContain('key.asc')
  expect(changing).toContain('repodata/repomd.xml.asc')
  expect(asked).toEqual(changing)
})

it('has a web server let caches keep of an APT tree only packages and what is named after its checksum', async () => {
  await using upstream = await startAptUpstream()
  const verify = { keys: [aptKeyFile('archive')] }
  const base = { type: 'apt', verify, feed: upstream.url.href, apt: { suites: ['stable'] } }
  const flat = { ...base, feed: `${upstream.url.href}flat/`, apt: { suites: ['./'] } }
  await using site = await openSite({
    repositories: [
      { ...base, id: 'mirror' },
      { ...base, id: 'generated', mode: 'filtered', signing: { key_file: 'key.asc' } },
      { ...flat, id: 'flat' },
    ],
    files: { 'key.asc': (await signingKey()).privateKey },
  })
  const names = new Set<string>()
  for (const id of ['mirror', 'generated', 'flat']) {
    await site.sync(id)
    await site.publish(id)
    for (const name of await filesBelow(site.published(`repositories/${id}/latest`))) names.add(name)
  }

  const asked = [...names].filter((name) => again.test(`/repositories/some/latest/${name}`))

  expect(asked).toEqual([...names].filter((name) => !/\/by-hash\/|\.u?deb$/.test(name)))
  expect(asked).toContain('dists/stable/InRelease')
})
