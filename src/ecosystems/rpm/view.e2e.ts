import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DnfClient } from '../../../tests/clients/dnf.ts'
import { type Nginx, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import { ZypperClient } from '../../../tests/clients/zypper.ts'
import { makeRpmUpstream, type RpmUpstream } from '../../../tests/support/rpm-upstream.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const demoKey = resolve('assets/demo/RPM-GPG-KEY-demo')
const rpms = (version: 'v1' | 'v2', ...names: readonly string[]) =>
  names.map((name) => resolve('assets/demo', version, 'Packages', `demo-${name}.noarch.rpm`))

const comps = (...packages: readonly string[]) => `<?xml version="1.0" encoding="UTF-8"?>
<comps><group><id>demo-tools</id><name>Tools</name><default>true</default><uservisible>true</uservisible><packagelist>
${packages.map((name) => `<packagereq type="mandatory">demo-${name}</packagereq>`).join('\n')}
</packagelist></group></comps>
`
const modules = (artifact: string) => `---
document: modulemd
version: 2
data:
  name: demo-engine
  stream: "2"
  version: 1
  context: d3m0
  arch: noarch
  summary: The engine
  description: The engine
  license: { module: [MIT] }
  profiles:
    default:
      rpms: [demo-engine, demo-legacy]
  artifacts:
    rpms:
    - ${artifact}
...
`
const updateinfo = (name: string, version: string) => `<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="demo@chantal.example" status="final" type="security" version="1"><id>DEMO-2026:0009</id>
<title>An update</title><issued date="2026-01-05 00:00:00"/><severity>Moderate</severity><summary>s</summary><description>d</description>
<pkglist><collection short="demo"><name>Demonstration</name>
<package name="demo-${name}" version="${version}" release="1" epoch="0" arch="noarch"><filename>demo-${name}-${version}-1.noarch.rpm</filename></package>
</collection></pkglist></update></updates>
`

/** `base` needs packages of `more`, and `more` of `base`; one group, one module stream and one advisory are in both. */
const upstreams: Readonly<Record<'v1' | 'v2', Readonly<Record<'base' | 'more', RpmUpstream>>>> = {
  v1: {
    base: {
      packages: rpms('v1', 'common-1.0-1', 'server-1.0-1', 'engine-2.0-1.module_demo'),
      comps: comps('server'),
      modules: modules('demo-engine-0:2.0-1.module_demo.noarch'),
      updateinfo: updateinfo('server', '1.0'),
    },
    more: {
      packages: rpms('v1', 'hello-1.0-1', 'client-1.0-1', 'legacy-1.0-1'),
      comps: comps('client'),
      modules: modules('demo-legacy-0:1.0-1.noarch'),
      updateinfo: updateinfo('hello', '1.0'),
    },
  },
  v2: {
    base: { packages: rpms('v2', 'common-1.0-1', 'server-1.1-1'), comps: comps('server') },
    more: { packages: rpms('v2', 'hello-1.0-1', 'extra-1.0-1'), comps: comps('extra') },
  },
}

const members = ['base', 'more'] as const
const nevras = (...names: readonly string[]) => names.map((name) => `demo-${name}.noarch`)

interface World extends AsyncDisposable {
  readonly site: Site
  readonly nginx: Nginx
  /** Path of our key, as the tree offers it, with that of whoever made the packages. */
  readonly keys: string
  show(state: 'v1' | 'v2'): Promise<void>
}

/** The view is published, and frozen. */
async function openWorld(): Promise<World> {
  const { privateKey } = await signingKey()
  const site = await openSite({ repositories: [], files: { 'key.asc': privateKey } })
  const upstream = await startUpstream({ folder: join(site.folder, 'upstream') })
  await site.reopen({
    repositories: [
      { id: 'base', type: 'rpm', feed: new URL('base/', upstream.url).href },
      { id: 'more', type: 'rpm', feed: new URL('more/', upstream.url).href, mode: 'filtered' },
    ],
    sections: { signing: { key_file: 'key.asc' }, views: [{ name: 'el', repos: members }] },
  })
  const show = async (state: 'v1' | 'v2') => {
    for (const id of members) await makeRpmUpstream(join(site.folder, 'upstream', id), upstreams[state][id])
    for (const id of members) await site.sync(id)
    await site.publish('el')
  }
  await show('v1')
  await site.snapshot('el@first')
  await site.publish('el@first')
  const nginx = await startNginx(site.published('.'))
  const offered = await fetch(`${nginx.url}/views/el/latest/key.asc`)
  const keys = join(site.folder, 'both.asc')
  await writeFile(keys, `${await offered.text()}\n${await readFile(demoKey, 'utf8')}`)
  return {
    site,
    nginx,
    keys,
    show,
    async [Symbol.asyncDispose]() {
      await nginx.stop()
      await upstream[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

describeWith(['nginx', 'setpriv', 'dnf', 'rpm', 'createrepo_c'], 'dnf on a view of RPM repositories', () => {
  let world: World
  const client = (path: string) =>
    DnfClient.create({ baseurl: `${world.nginx.url}/views/el/${path}`, key: world.keys })

  beforeAll(async () => {
    world = await openWorld()
  })
  afterAll(() => world[Symbol.asyncDispose]())

  it.each(['latest', 'snapshots/first'])('installs across members, with all checks on: %s', async (path) => {
    await using dnf = await client(path)
    await dnf.makecache()

    await dnf.install('demo-server')

    expect(await dnf.installed()).toEqual(nevras('common-1.0-1', 'hello-1.0-1', 'server-1.0-1'))
    expect(await dnf.updateinfoList('--installed')).toEqual([
      { id: 'DEMO-2026:0009', kind: 'Moderate/Sec.', package: 'demo-hello-1.0-1.noarch' },
      { id: 'DEMO-2026:0009', kind: 'Moderate/Sec.', package: 'demo-server-1.0-1.noarch' },
    ])
  })

  it('installs a group whose packages are in two members', async () => {
    await using dnf = await client('latest')

    await dnf.install('@demo-tools')

    expect((await dnf.groupList()).groups).toEqual([{ id: 'demo-tools', name: 'Tools' }])
    expect(await dnf.installed()).toEqual(
      nevras('client-1.0-1', 'common-1.0-1', 'hello-1.0-1', 'server-1.0-1'),
    )
  })

  it('hides what a stream has in either member until that is chosen, and installs it from both', async () => {
    await using dnf = await client('latest')
    const before = (await dnf.repoquery()).map(({ name }) => name)

    await dnf.install('@demo-engine:2/default')

    expect(before).toEqual(['demo-client', 'demo-common', 'demo-hello', 'demo-server'])
    expect((await dnf.moduleList()).map(({ name, stream }) => `${name}:${stream}`)).toEqual(['demo-engine:2'])
    expect(await dnf.installed()).toEqual(
      nevras('client-1.0-1', 'common-1.0-1', 'engine-2.0-1.module_demo', 'legacy-1.0-1'),
    )
  })

  it('sees all members of before or all of after, while the snapshot stays; and goes back', async () => {
    await using dnf = await client('latest')
    await dnf.install('demo-server')

    await world.show('v2')
    await dnf.makecache()
    await dnf.upgrade()
    await dnf.install('@demo-tools')

    expect(await dnf.installed()).toEqual(
      nevras('common-1.0-1', 'extra-1.0-1', 'hello-1.0-1', 'server-1.1-1'),
    )
    await using frozen = await client('snapshots/first')
    await frozen.install('demo-server')
    expect(await frozen.installed()).toContain('demo-server-1.0-1.noarch')
    await world.site.rollBack('views/el/latest')
    await dnf.makecache()
    const names = (await dnf.repoquery('--disable-modular-filtering')).map(
      ({ name, version }) => `${name} ${version}`,
    )
    expect(names).toContain('demo-server 1.0')
    expect(names).not.toContain('demo-extra 1.0')
    expect(names).toHaveLength(6)
  })
})

describeWith(
  ['nginx', 'setpriv', 'zypper', 'rpm', 'createrepo_c'],
  'zypper on a view of RPM repositories',
  () => {
    it('refreshes and installs across members, with all checks on', async () => {
      await using world = await openWorld()
      await using zypper = await ZypperClient.create({
        baseurl: `${world.nginx.url}/views/el/latest`,
        key: world.keys,
      })

      await zypper.refresh()
      await zypper.install('demo-server')

      expect(await zypper.search()).toHaveLength(6)
      expect(await zypper.installed()).toEqual(nevras('common-1.0-1', 'hello-1.0-1', 'server-1.0-1'))
    })
  },
)
