import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { findPackageFiles } from '../../src/app/package/find-package-files.ts'
import { removePackages } from '../../src/app/package/remove-packages.ts'
import { uploadPackages } from '../../src/app/package/upload-packages.ts'
import { openSite, type Site, signingKey } from '../support/site.ts'
import { AptClient } from './apt.ts'
import { DnfClient } from './dnf.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { describeWith } from './requirements.ts'

const signal = new AbortController().signal
const demoKey = resolve('assets/demo/RPM-GPG-KEY-demo')

async function upload(
  { context }: Site,
  repository: string,
  paths: readonly string[],
  suite: string | null = null,
) {
  const files = await findPackageFiles(context, { repository, paths, recursive: false }, signal)
  return uploadPackages(context, { repository, files, suite, component: null, force: false }, signal)
}

const remove = ({ context }: Site, repository: string, packages: readonly string[]) =>
  removePackages(context, { repository, packages, dryRun: false }, signal)

let site: Site
let nginx: Nginx

async function open(repository: Readonly<Record<string, unknown>>): Promise<void> {
  const { privateKey, publicKey } = await signingKey()
  const files = { 'key.asc': privateKey, 'public.asc': publicKey, 'demo.asc': await readFile(demoKey) }
  const sections = { signing: { key_file: 'key.asc' } }
  site = await openSite({ repositories: [repository], sections, files })
  await writeFile(join(site.folder, 'both.asc'), `${publicKey}\n${await readFile(demoKey, 'utf8')}`)
  nginx = await startNginx(site.published('.'))
}

async function close(): Promise<void> {
  await nginx.stop()
  await site[Symbol.asyncDispose]()
}

describeWith(['nginx', 'setpriv', 'dnf', 'rpm'], 'dnf on a repository of uploaded packages', () => {
  let dnf: DnfClient
  const demo = (version: 'v1' | 'v2', ...names: readonly string[]) =>
    names.map((name) => `assets/demo/${version}/Packages/demo-${name}.noarch.rpm`)

  beforeAll(() => open({ id: 'tools', type: 'rpm', mode: 'hosted', verify: { keys: ['demo.asc'] } }))
  afterAll(close)
  beforeEach(async () => {
    dnf = await DnfClient.create({
      baseurl: `${nginx.url}/repositories/tools/latest`,
      key: join(site.folder, 'both.asc'),
    })
    return () => dnf[Symbol.asyncDispose]()
  })

  it('installs what was uploaded with its dependencies, then its update; what was removed is gone', async () => {
    await upload(site, 'tools', demo('v1', 'common-1.0-1', 'hello-1.0-1', 'server-1.0-1'))
    await site.publish('tools')
    await dnf.makecache()
    expect((await dnf.repoquery()).map(({ name }) => name)).toEqual([
      'demo-common',
      'demo-hello',
      'demo-server',
    ])
    await dnf.install('demo-server')
    expect(await dnf.installed()).toEqual([
      'demo-common-1.0-1.noarch',
      'demo-hello-1.0-1.noarch',
      'demo-server-1.0-1.noarch',
    ])
    expect((await dnf.whatProvides('/usr/bin/demo-server')).length).toBeGreaterThan(0)

    await upload(site, 'tools', demo('v2', 'server-1.1-1'))
    await site.publish('tools')
    await dnf.makecache()
    await dnf.upgrade()
    expect(await dnf.installed()).toContain('demo-server-1.1-1.noarch')

    await remove(site, 'tools', ['demo-server'])
    await site.publish('tools')
    await dnf.makecache()
    expect((await dnf.repoquery()).map(({ name }) => name)).toEqual(['demo-common', 'demo-hello'])
  })

  it('finds in metadata of ours what createrepo_c would have written', async () => {
    await upload(site, 'tools', demo('v1', 'client-1.0-1', 'legacy-1.0-1'))
    await site.publish('tools')
    await using original = await startNginx(resolve('assets/demo/v1'))
    await using direct = await DnfClient.create({ baseurl: original.url, key: demoKey })
    await direct.makecache()
    await dnf.makecache()

    for (const name of ['demo-client', 'demo-legacy']) {
      const ask = async (client: DnfClient) => [
        await client.requires(name),
        await client.provides(name),
        await client.files(name),
      ]
      expect(await ask(dnf)).toEqual(await ask(direct))
    }
  })
})

describeWith(['nginx', 'setpriv', 'apt-get', 'dpkg'], 'apt on a repository of uploaded packages', () => {
  const deb = (...names: readonly string[]) => names.map((name) => `tests/fixtures/deb/${name}`)

  beforeAll(() => open({ id: 'tools', type: 'apt', mode: 'hosted', apt: { suites: ['stable', 'testing'] } }))
  afterAll(close)

  it('installs what was uploaded with its dependencies, from the suite it was uploaded to', async () => {
    await upload(site, 'tools', deb('libhello1_2.0-1_amd64.deb', 'hello-xz_1.0-1_all.deb'))
    await upload(site, 'tools', deb('hello-zstd_1.0-1_all.deb', 'hello-udeb_1.0-1_amd64.udeb'))
    await upload(site, 'tools', deb('hello-none_1.0-1_all.deb'), 'testing')
    await site.publish('tools')
    const source = {
      uri: `${nginx.url}/repositories/tools/latest`,
      components: ['main'],
      signedBy: join(site.folder, 'public.asc'),
    }
    await using stable = await AptClient.create({ sources: [{ ...source, suites: ['stable'] }] })
    await using testing = await AptClient.create({ sources: [{ ...source, suites: ['testing'] }] })

    await stable.update()
    await testing.update()

    expect(await stable.packages()).toEqual([
      'hello-xz 1.0-1 all',
      'hello-zstd 1.0-1 all',
      'libhello1 1:2.0-1 amd64',
    ])
    expect(await testing.packages()).toEqual(['hello-none 1.0-1 all'])
    await stable.install('libhello1')
    expect(await stable.installed()).toEqual([
      'hello-xz 1.0-1 all',
      'hello-zstd 1.0-1 all',
      'libhello1 1:2.0-1 amd64',
    ])
    expect(await stable.show('libhello1')).toContain('Its second: has a colon.')

    await remove(site, 'tools', ['stable/main/libhello1_*'])
    await site.publish('tools')
    await stable.update()
    expect(await stable.packages()).toEqual([
      'hello-xz 1.0-1 all',
      'hello-zstd 1.0-1 all',
      'libhello1 1:2.0-1 amd64',
    ])
    expect((await stable.policy('libhello1')).versions).toEqual([{ version: '1:2.0-1', priority: 100 }])
  })
})
