import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { findPackageFiles } from '../../src/app/package/find-package-files.ts'
import { uploadPackages } from '../../src/app/package/upload-packages.ts'
import { publishSource } from '../../src/app/publish/publish-source.ts'
import { showDemo, startDemoUpstream } from '../support/demo-upstream.ts'
import { openSite, type Site, signingKey } from '../support/site.ts'
import { AptClient } from './apt.ts'
import { DnfClient } from './dnf.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { describeWith } from './requirements.ts'

const signal = new AbortController().signal
const demoKey = resolve('assets/demo/RPM-GPG-KEY-demo')

let parts: AsyncDisposableStack

afterEach(() => parts.disposeAsync())

/** Signs views with a key of ours; `both.asc` has it and that of the demonstration's packages. */
async function open(
  repositories: readonly Readonly<Record<string, unknown>>[],
): Promise<{ readonly site: Site; readonly nginx: Nginx }> {
  const { privateKey, publicKey } = await signingKey()
  const site = parts.use(
    await openSite({
      repositories,
      sections: {
        signing: { key_file: 'key.asc' },
        views: [{ name: 'all', repos: repositories.map(({ id }) => id) }],
      },
      files: { 'key.asc': privateKey, 'public.asc': publicKey, 'demo.asc': await readFile(demoKey) },
    }),
  )
  await writeFile(join(site.folder, 'both.asc'), `${publicKey}\n${await readFile(demoKey, 'utf8')}`)
  return { site, nginx: parts.use(await startNginx(site.published('.'))) }
}

async function upload({ context }: Site, repository: string, ...paths: readonly string[]): Promise<void> {
  const files = await findPackageFiles(context, { repository, paths, recursive: false }, signal)
  await uploadPackages(context, { repository, files, suite: null, component: null, force: false }, signal)
}

const promote = ({ context }: Site, source: string) =>
  publishSource(context, { source, as: 'production', force: false }, signal)

describeWith(['nginx', 'setpriv', 'dnf', 'rpm'], 'dnf on a view', () => {
  const demo = (version: 'v1' | 'v2', name: string) =>
    `assets/demo/${version}/Packages/demo-${name}.noarch.rpm`

  it('installs a package whose dependency is in another member, is promoted, and goes back', async () => {
    parts = new AsyncDisposableStack()
    const { site, nginx } = await open([
      { id: 'base', type: 'rpm', mode: 'hosted' },
      { id: 'apps', type: 'rpm', mode: 'hosted' },
    ])
    await upload(site, 'base', demo('v1', 'common-1.0-1'), demo('v1', 'hello-1.0-1'))
    await upload(site, 'apps', demo('v1', 'server-1.0-1'))
    await site.snapshot('all@first')
    await promote(site, 'all@first')
    await upload(site, 'apps', demo('v2', 'server-1.1-1'))
    await site.snapshot('all@second')
    await using dnf = await DnfClient.create({
      baseurl: `${nginx.url}/views/all/snapshots/production`,
      key: join(site.folder, 'both.asc'),
    })

    await dnf.makecache()
    await dnf.install('demo-server')
    expect(await dnf.installed()).toEqual([
      'demo-common-1.0-1.noarch',
      'demo-hello-1.0-1.noarch',
      'demo-server-1.0-1.noarch',
    ])
    await promote(site, 'all@second')
    await dnf.makecache()
    await dnf.upgrade()
    expect(await dnf.installed()).toContain('demo-server-1.1-1.noarch')
    await site.rollBack('views/all/snapshots/production')
    await dnf.makecache()

    const found = (await dnf.repoquery()).map(({ name, version }) => `${name} ${version}`)
    expect(found).toEqual(['demo-common 1.0', 'demo-hello 1.0', 'demo-server 1.0'])
  })

  it('of verbatim mirrors takes metadata signed with our key, and packages signed with theirs', async () => {
    parts = new AsyncDisposableStack()
    const upstream = parts.use(await startDemoUpstream())
    const { site, nginx } = await open([
      { id: 'mirror', type: 'rpm', feed: upstream.url, verify: { keys: ['demo.asc'] } },
      { id: 'own', type: 'rpm', mode: 'hosted' },
    ])
    showDemo(upstream, 'v2')
    await site.sync('mirror')
    await upload(site, 'own', demo('v2', 'extra-1.0-1'))
    await site.snapshot('all@then')
    showDemo(upstream, 'v1')
    await site.sync('mirror')
    const { path } = await site.publish('all@then')
    await using dnf = await DnfClient.create({
      baseurl: `${nginx.url}/${path}`,
      key: join(site.folder, 'both.asc'),
    })

    await dnf.makecache()
    await dnf.install('demo-extra')

    expect(await dnf.installed()).toEqual(
      expect.arrayContaining(['demo-extra-1.0-1.noarch', 'demo-server-1.1-1.noarch']),
    )
  })
})

describeWith(['nginx', 'setpriv', 'apt-get', 'dpkg'], 'apt on a view', () => {
  const deb = (name: string) => `tests/fixtures/deb/${name}`

  it('installs a package whose dependency is in another member, and goes back', async () => {
    parts = new AsyncDisposableStack()
    const apt = { suites: ['stable'], architectures: ['amd64'] }
    const { site, nginx } = await open([
      { id: 'base', type: 'apt', mode: 'hosted', apt },
      { id: 'apps', type: 'apt', mode: 'hosted', apt: { ...apt, components: ['apps'] } },
    ])
    await upload(site, 'base', deb('hello-xz_1.0-1_all.deb'), deb('hello-zstd_1.0-1_all.deb'))
    await upload(site, 'apps', deb('libhello1_2.0-1_amd64.deb'))
    await site.snapshot('all@first')
    await promote(site, 'all@first')
    await upload(site, 'base', deb('hello-none_1.0-1_all.deb'))
    await site.snapshot('all@second')
    await promote(site, 'all@second')
    await using client = await AptClient.create({
      sources: [
        {
          uri: `${nginx.url}/views/all/snapshots/production`,
          suites: ['stable'],
          components: ['main', 'apps'],
          signedBy: join(site.folder, 'public.asc'),
        },
      ],
    })

    await client.update()
    const second = await client.packages()
    await client.install('libhello1')
    await site.rollBack('views/all/snapshots/production')
    await client.update()

    const first = ['hello-xz 1.0-1 all', 'hello-zstd 1.0-1 all', 'libhello1 1:2.0-1 amd64']
    expect(second).toEqual(['hello-none 1.0-1 all', ...first])
    expect(await client.installed()).toEqual(first)
    expect(await client.packages()).toEqual(first)
  })
})
