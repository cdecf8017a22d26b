import { chmod, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DnfClient } from './dnf.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { describeWith } from './requirements.ts'
import { ZypperClient } from './zypper.ts'

const key = 'assets/demo/RPM-GPG-KEY-demo'
const installedServer = ['demo-common-1.0-1.noarch', 'demo-hello-1.0-1.noarch', 'demo-server-1.0-1.noarch']
let folder: string
let nginx: Nginx

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chantal-demo-'))
  await chmod(folder, 0o755)
  await cp('assets/demo', join(folder, 'demo'), { recursive: true })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describeWith(['nginx', 'setpriv'], 'nginx', () => {
  it('serves as another user, so what others may not read is refused', async () => {
    await using server = await startNginx(join(folder, 'demo'))
    await cp(key, join(folder, 'demo', 'secret'))
    await chmod(join(folder, 'demo', 'secret'), 0o600)

    const open = await fetch(`${server.url}/RPM-GPG-KEY-demo`)
    const closed = await fetch(`${server.url}/secret`)

    expect(open.status).toBe(200)
    expect(closed.status).toBe(process.getuid?.() === 0 ? 403 : 200)
    expect(await server.requests()).toMatchObject([
      { method: 'GET', path: '/RPM-GPG-KEY-demo', status: 200 },
      { path: '/secret' },
    ])
  })

  it('is gone after it was stopped', async () => {
    const server = await startNginx(join(folder, 'demo'))

    await server.stop()

    await expect(fetch(server.url)).rejects.toThrow('fetch failed')
  })
})

describeWith(['nginx', 'setpriv', 'dnf', 'rpm'], 'dnf on the demonstration upstream', () => {
  let dnf: DnfClient
  beforeAll(async () => {
    nginx = await startNginx(join(folder, 'demo'))
    dnf = await DnfClient.create({ baseurl: `${nginx.url}/v1`, key })
    await dnf.makecache()
  })
  afterAll(async () => {
    await dnf[Symbol.asyncDispose]()
    await nginx.stop()
  })

  it('lists packages, dependencies and files', async () => {
    const packages = await dnf.repoquery()

    expect(packages.map(({ name }) => name)).toEqual([
      'demo-client',
      'demo-common',
      'demo-engine',
      'demo-hello',
      'demo-legacy',
      'demo-server',
    ])
    expect(packages.at(-1)).toEqual({
      name: 'demo-server',
      epoch: '0',
      version: '1.0',
      release: '1',
      architecture: 'noarch',
    })
    expect(await dnf.requires('demo-server')).toContain('demo-hello >= 1.0')
    expect(await dnf.provides('demo-hello')).toEqual(['demo-hello = 1.0-1'])
    expect(await dnf.whatProvides('/usr/bin/demo-client')).toMatchObject([{ name: 'demo-client' }])
    expect(await dnf.files('demo-server')).toEqual(['/etc/demo/server.conf', '/usr/bin/demo-server'])
  })

  it('lists groups and modules', async () => {
    expect(await dnf.groupList()).toEqual({
      environments: [{ id: 'demo-environment', name: 'Demonstration host' }],
      groups: [{ id: 'demo-tools', name: 'Demonstration tools' }],
    })
    expect(await dnf.moduleList()).toEqual([{ name: 'demo-engine', stream: '2', isDefault: true }])
  })

  it('downloads a package', async () => {
    const files = await dnf.download('demo-client')

    expect(files).toEqual([expect.stringMatching(/\/demo-client-1\.0-1\.noarch\.rpm$/)])
  })

  it('installs a package and what it needs, and updates it by an advisory', async () => {
    await dnf.install('demo-server')
    const first = await dnf.installed()
    const known = await dnf.updateinfoList('--installed')
    await dnf.setRepository({ baseurl: `${nginx.url}/v2`, key })
    await dnf.makecache()
    const pending = await dnf.updateinfoList('--updates')
    await dnf.upgrade()

    expect(first).toEqual(installedServer)
    expect(known).toEqual([
      { id: 'DEMO-2026:0001', kind: 'Moderate/Sec.', package: 'demo-hello-1.0-1.noarch' },
    ])
    expect(pending).toEqual([
      { id: 'DEMO-2026:0002', kind: 'Important/Sec.', package: 'demo-server-1.1-1.noarch' },
    ])
    expect(await dnf.installed()).toContain('demo-server-1.1-1.noarch')
  })

  it('starts over after its cache is emptied', async () => {
    await dnf.clean()

    expect(await dnf.repoquery('demo-hello')).toHaveLength(1)
  })

  it('refuses metadata that was changed', async () => {
    await cp(join(folder, 'demo', 'v1'), join(folder, 'demo', 'changed'), { recursive: true })
    await cp(
      join(folder, 'demo', 'v2', 'repodata', 'repomd.xml.asc'),
      join(folder, 'demo', 'changed', 'repodata', 'repomd.xml.asc'),
    )
    await using other = await DnfClient.create({ baseurl: `${nginx.url}/changed`, key })

    await expect(other.makecache()).rejects.toThrow('Bad GPG signature')
  })
})

describeWith(['nginx', 'setpriv', 'zypper', 'rpm'], 'zypper on the demonstration upstream', () => {
  it('lists packages, and installs one with what it needs', async () => {
    await using server = await startNginx(join(folder, 'demo'))
    await using zypper = await ZypperClient.create({ baseurl: `${server.url}/v1`, key })

    await zypper.refresh()
    const packages = await zypper.search()
    await zypper.install('demo-server')

    expect(packages).toContainEqual({ name: 'demo-server', edition: '1.0-1', architecture: 'noarch' })
    expect(packages).toHaveLength(6)
    expect(await zypper.installed()).toEqual(installedServer)
  })

  it('refuses metadata that was changed', async () => {
    await cp(join(folder, 'demo', 'v1'), join(folder, 'demo', 'zypper-changed'), { recursive: true })
    await cp(
      join(folder, 'demo', 'v2', 'repodata', 'repomd.xml.asc'),
      join(folder, 'demo', 'zypper-changed', 'repodata', 'repomd.xml.asc'),
    )
    await using server = await startNginx(join(folder, 'demo'))
    await using zypper = await ZypperClient.create({ baseurl: `${server.url}/zypper-changed`, key })

    await expect(zypper.refresh()).rejects.toThrow('Signature verification failed')
  })
})
