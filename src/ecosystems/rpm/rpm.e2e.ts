import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DnfClient } from '../../../tests/clients/dnf.ts'
import { type Nginx, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import { ZypperClient } from '../../../tests/clients/zypper.ts'
import { rpmCases, rpmCorpus, whyNoRpmCorpus, xmlBase } from '../../../tests/support/rpm-corpus.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite, type Site, serveFolder, signingKey } from '../../../tests/support/site.ts'
import { startUpstream, type Upstream } from '../../../tests/upstream/upstream.ts'

/** Signs the packages of the demonstration, and its metadata. */
const demoKey = resolve('assets/demo/RPM-GPG-KEY-demo')
const server = 'demo-server'
const withServer = (version: string) =>
  ['demo-common-1.0-1', 'demo-hello-1.0-1', `demo-server-${version}-1`].map((name) => `${name}.noarch`)

/** What a client learns of a tree. */
async function view(dnf: DnfClient) {
  const names = ['demo-client', 'demo-engine', 'demo-hello', server]
  const requirements: (readonly string[])[] = []
  for (const name of names) requirements.push(await dnf.requires(name))
  return {
    packages: await dnf.repoquery(),
    requirements,
    provides: await dnf.provides('demo-hello'),
    owner: await dnf.whatProvides('/usr/bin/demo-client'),
    files: await dnf.files(server),
    groups: await dnf.groupList(),
    modules: await dnf.moduleList(),
    advisories: await dnf.updateinfoList('--all'),
  }
}

describeWith(['nginx', 'setpriv', 'dnf', 'rpm'], 'dnf on published RPM trees', () => {
  let site: Site
  let nginx: Nginx
  let upstream: Upstream
  let bothKeys: string
  /** Metadata of a generated tree is signed by us, packages always by their maker. */
  const client = (path: string) =>
    DnfClient.create({ baseurl: `${nginx.url}/${path}`, key: path.includes('/mirror/') ? demoKey : bothKeys })
  const modes = ['mirror', 'filtered']
  const show = async (state: 'v1' | 'v2') => {
    await rm(join(site.folder, 'upstream'), { recursive: true, force: true })
    await cp(join('assets/demo', state), join(site.folder, 'upstream'), { recursive: true })
    for (const id of modes) await site.sync(id)
    for (const id of modes) await site.publish(id)
  }

  beforeAll(async () => {
    const { privateKey, publicKey } = await signingKey()
    site = await openSite({ repositories: [], files: { 'key.asc': privateKey } })
    bothKeys = join(site.folder, 'both.asc')
    await writeFile(bothKeys, `${publicKey}\n${await readFile(demoKey, 'utf8')}`)
    upstream = await startUpstream({ folder: join(site.folder, 'upstream') })
    const base = { type: 'rpm', feed: upstream.url.href, verify: { keys: [demoKey] } }
    await site.reopen({
      repositories: modes.map((mode) => ({ ...base, id: mode, mode })),
      sections: { signing: { key_file: 'key.asc' } },
    })
    await show('v1')
    for (const id of modes) {
      await site.snapshot(`${id}@v1`)
      await site.publish(`${id}@v1`)
    }
    nginx = await startNginx(site.published('.'))
  })
  afterAll(async () => {
    await nginx.stop()
    await upstream[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })

  it('shows what upstream shows, in every kind of tree, and installs from it with all checks on', async () => {
    await using original = await startNginx(resolve('assets/demo/v1'))
    await using direct = await DnfClient.create({ baseurl: original.url, key: demoKey })
    await direct.makecache()
    const expected = await view(direct)
    expect(expected.packages).toHaveLength(6)
    expect(expected.modules).toHaveLength(1)
    expect(expected.groups.groups).toHaveLength(1)

    for (const path of ['mirror/latest', 'filtered/latest', 'mirror/snapshots/v1', 'filtered/snapshots/v1']) {
      await using dnf = await client(`repositories/${path}`)
      await dnf.makecache()
      expect(await view(dnf)).toEqual(expected)
      await dnf.install(server)
      expect(await dnf.installed()).toEqual(withServer('1.0'))
      expect(await dnf.updateinfoList('--installed')).toHaveLength(1)
    }
  })

  it('refuses a generated tree without our key, and finds that key at its top', async () => {
    await using dnf = await DnfClient.create({
      baseurl: `${nginx.url}/repositories/filtered/latest`,
      key: demoKey,
    })
    const answer = await fetch(`${nginx.url}/repositories/filtered/latest/key.asc`)

    await expect(dnf.makecache()).rejects.toThrow('Bad GPG signature')
    expect(await answer.text()).toBe((await signingKey()).publicKey)
  })

  it('goes on to what upstream brings, while snapshots install what they did; a rollback takes it back', async () => {
    await using moving = await client('repositories/filtered/latest')
    await using mirrored = await client('repositories/mirror/latest')
    await moving.makecache()
    await mirrored.makecache()
    const before = await moving.repoquery(server)

    await show('v2')
    await moving.makecache()
    await mirrored.makecache()
    const after = await moving.repoquery(server)
    const afterMirrored = await mirrored.repoquery(server)

    for (const id of modes) {
      await using frozen = await client(`repositories/${id}/snapshots/v1`)
      await frozen.install(server)
      expect(await frozen.installed()).toEqual(withServer('1.0'))
    }
    await using installing = await client('repositories/filtered/latest')
    await installing.install(server)
    expect(await installing.installed()).toEqual(withServer('1.1'))

    await site.rollBack('repositories/filtered/latest')
    await site.rollBack('repositories/mirror/latest')
    await moving.makecache()
    await mirrored.makecache()

    expect([before, after, afterMirrored].map(([pkg]) => pkg?.version)).toEqual(['1.0', '1.1', '1.1'])
    expect(await moving.repoquery(server)).toEqual(before)
    expect(await mirrored.repoquery(server)).toEqual(before)
    await moving.install(server)
    expect(await moving.installed()).toEqual(withServer('1.0'))
    await expect(site.publish('filtered')).rejects.toMatchObject({ code: 'PATH_HELD' })
  })
})

describeWith(['nginx', 'setpriv', 'zypper', 'rpm'], 'zypper on published RPM trees', () => {
  it('refreshes and installs, from a mirror and from a generated tree', async () => {
    const { privateKey, publicKey } = await signingKey()
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    const base = { type: 'rpm', feed: upstream.url.href, verify: { keys: [demoKey] } }
    await using site = await openSite({
      repositories: ['mirror', 'filtered'].map((mode) => ({ ...base, id: mode, mode })),
      sections: { signing: { key_file: 'key.asc' } },
      files: { 'key.asc': privateKey, 'both.asc': `${publicKey}\n${await readFile(demoKey, 'utf8')}` },
    })
    for (const id of ['mirror', 'filtered']) {
      await site.sync(id)
      await site.publish(id)
    }
    await using nginx = await startNginx(site.published('.'))

    for (const id of ['mirror', 'filtered']) {
      const key = id === 'mirror' ? demoKey : join(site.folder, 'both.asc')
      await using zypper = await ZypperClient.create({
        baseurl: `${nginx.url}/repositories/${id}/latest`,
        key,
      })
      await zypper.refresh()
      await zypper.install(server)

      expect(await zypper.search()).toHaveLength(6)
      expect(await zypper.installed()).toEqual(withServer('1.0'))
    }
  })
})

const note = whyNoRpmCorpus === null ? '' : ` (skipped: ${whyNoRpmCorpus})`

describe.skipIf(whyNoRpmCorpus)(`the corpus${note}`, () => {
  describeWith(['nginx', 'setpriv', 'dnf', 'rpm'], 'dnf on generated trees of real repositories', () => {
    const cases = rpmCases
      .filter(({ outcome }) => outcome === 'synced')
      .map((one, index) => ({ ...one, id: `case-${index}` }))
    let site: Site
    let nginx: Nginx
    let key: string
    beforeAll(async () => {
      const { privateKey, publicKey } = await signingKey()
      await using upstream = await startUpstream({ folder: rpmCorpus })
      await using _ = await serveFolder(xmlBase.folder, xmlBase.port)
      site = await openSite({
        repositories: cases.map(({ id, path }) => ({
          id,
          type: 'rpm',
          mode: 'filtered',
          feed: new URL(`${path}/`, upstream.url).href,
        })),
        sections: { signing: { key_file: 'key.asc' } },
        files: { 'key.asc': privateKey, 'public.asc': publicKey },
      })
      for (const { id } of cases) {
        await site.sync(id)
        await site.publish(id)
      }
      key = join(site.folder, 'public.asc')
      nginx = await startNginx(site.published('.'))
    })
    afterAll(async () => {
      await nginx.stop()
      await site[Symbol.asyncDispose]()
    })

    it.concurrent.each(cases)('accepts $path and lists its packages', async ({ id, path }) => {
      await using dnf = await DnfClient.create({ baseurl: `${nginx.url}/repositories/${id}/latest`, key })

      // Streams of modules that are not enabled are hidden otherwise, and so is every other architecture.
      const listed = await dnf.repoquery('--disable-modular-filtering', '--refresh')

      const { packages } = await readRpmTree(join(rpmCorpus, path))
      const expected = new Set(packages.map(({ nevra }) => nevra))
      expect(new Set(listed.map(nevraOf))).toEqual(expected)
    })
  })
})

function nevraOf({
  name,
  epoch,
  version,
  release,
  architecture,
}: Awaited<ReturnType<DnfClient['repoquery']>>[number]): string {
  return `${name}-${epoch}:${version}-${release}.${architecture}`
}
