import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { AptClient, type AptOptions, type AptSource } from '../../../tests/clients/apt.ts'
import { type Nginx, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import {
  type AptFiles,
  type AptUpstream,
  aptFiles,
  aptKeyFile,
  aptPrivateKeyFile,
  changeApt,
  currentAptFiles,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site } from '../../../tests/support/site.ts'

const archive = aptKeyFile('archive')
const ours = aptKeyFile('other')
const index = 'main/binary-amd64/Packages'

/** The update that is phased at 10 % is for the first of them, and not for the second. */
const machines = ['8', '1'].map((digit) => digit.padStart(32, '0'))

describeWith(['apt-get', 'dpkg', 'nginx', 'setpriv'], 'what a published Release file tells apt', () => {
  let site: Site
  let nginx: Nginx
  let upstream: AptUpstream
  let now = new Date()
  /**
   * Publishes one suite of an upstream, under each id that is given: verbatim where that begins with `mirror`. A path should not be published
   * to more than once a second for long: each publication is later than the one before, and apt refuses what is of the future.
   */
  const publish = async (
    files: AptFiles,
    suite: string,
    ids: readonly string[],
    generated: Readonly<Record<string, unknown>> = {},
  ) => {
    upstream.show(files)
    const base = { type: 'apt', feed: upstream.url.href, verify: { keys: [archive] } }
    const apt = { suites: [suite], check_date: false }
    await site.reopen({
      repositories: ids.map((id) =>
        id.startsWith('mirror')
          ? { ...base, id, mode: 'mirror', apt }
          : { ...base, id, mode: 'filtered', apt: { ...apt, ...generated } },
      ),
    })
    for (const id of ids) {
      await site.sync(id, { force: true })
      await site.publish(id, { force: true })
    }
  }
  const source = (id: string, suite: string): AptSource => ({
    uri: `${nginx.url}/repositories/${id}/latest`,
    suites: [suite],
    components: ['main'],
    signedBy: id.startsWith('mirror') ? archive : ours,
  })
  const open = (id: string, suite: string, options: Partial<AptOptions> = {}) =>
    AptClient.create({ sources: [source(id, suite)], ...options })

  beforeAll(async () => {
    upstream = await startAptUpstream()
    site = await openSite({
      repositories: [],
      sections: { signing: { key_file: 'key.asc' } },
      files: { 'key.asc': await readFile(aptPrivateKeyFile('other')) },
      now: () => now,
    })
    await publish(aptFiles('v1'), 'stable', ['first'])
    nginx = await startNginx(site.published('.'))
  })
  afterAll(async () => {
    await nginx.stop()
    await upstream[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    now = new Date()
  })

  it.each([
    ['500', 'stable', (text: string) => text, 500],
    ['100 where upgrades are automatic', 'stable-updates', (text: string) => text, 100],
    ['1 where nothing is', 'stable-updates', (text: string) => text.replace(/^ButAuto.*\n/m, ''), 1],
  ])('has apt give a suite the priority that upstream meant: %s', async (_, suite, release, priority) => {
    const folder = `dists/${suite}`
    const ids = [`mirror-${priority}`, `filtered-${priority}`]
    await publish(await changeApt(await currentAptFiles('v1'), { folder, release }), suite, ids)

    for (const id of ids) {
      await using apt = await open(id, suite)
      await apt.update()
      expect((await apt.policy('greeter')).versions.map((version) => version.priority)).toContain(priority)
    }
  })

  it.each(['gzip', 'xz', 'zstd'])('has apt load indexes that are compressed with %s', async (compression) => {
    await publish(aptFiles('v1'), 'stable', [compression], { compression })
    await using apt = await open(compression, 'stable')

    await apt.update()

    expect(await apt.packages()).toContain('greeter 1.0-1 amd64')
  })

  it('has apt refuse a tree that was not published anew in time, and take it when it is', async () => {
    upstream.show(aptFiles('v1'))
    const apt = { suites: ['stable'], release: { valid_days: 7 } }
    const aging = { id: 'aging', type: 'apt', mode: 'filtered', feed: upstream.url.href, apt }
    await site.reopen({ repositories: [aging] })
    now = new Date(now.getTime() - 10 * 24 * 60 * 60 * 1000)
    await site.sync('aging')
    await site.publish('aging')
    await using client = await open('aging', 'stable')

    await expect(client.update()).rejects.toThrow('is expired')
    now = new Date()
    await site.publish('aging')
    await client.update()

    expect(await client.packages()).toContain('greeter 1.0-1 amd64')
  })

  it('has apt load whole indexes where a mirror goes without differences', async () => {
    await publish(aptFiles('v1'), 'stable', ['mirror'])
    await using apt = await open('mirror', 'stable')
    await apt.update()

    await publish(aptFiles('v2'), 'stable', ['mirror'])
    await apt.update()

    expect((await apt.policy('greeter')).candidate).toBe('1.1-1')
  })

  it.each([
    ['keep', ['1.0-1+u1', '1.0-1']],
    ['release', ['1.0-1+u1', '1.0-1+u1']],
    ['hold', ['1.0-1', '1.0-1']],
  ])(
    'has apt install phased updates on chosen machines, all, or none: %s',
    async (phased_updates, versions) => {
      const release = (text: string) => text.replaceAll(/^(Not|But)Auto.*\n/gm, '')
      const files = await changeApt(await currentAptFiles('v1'), { folder: 'dists/stable-updates', release })
      await publish(aptFiles('v1'), 'stable', [phased_updates])
      await using clients = new AsyncDisposableStack()
      const hosts: AptClient[] = []
      for (const machineId of machines) {
        const apt = clients.use(await open(phased_updates, 'stable', { machineId }))
        await apt.update()
        await apt.install('greeter')
        hosts.push(apt)
      }

      await publish(files, 'stable-updates', [phased_updates], { phased_updates })
      const seen: (string | undefined)[] = []
      for (const apt of hosts) {
        await apt.setSources([source(phased_updates, 'stable-updates')])
        await apt.update()
        await apt.upgrade()
        seen.push((await apt.installed()).find((line) => line.startsWith('greeter '))?.split(' ')[1])
      }

      expect(seen).toEqual(versions)
    },
  )

  it('holds nothing that was put there by a forged line, stanza or field of upstream', async () => {
    const evil = (lines: string) => `Package: evil${lines}`
    const forgeries: readonly ((stanza: string) => string)[] = [
      (stanza) => stanza.replace(/^Depends: /m, 'Depends: x\n \nPackage: evil\nDepends: '),
      (stanza) => stanza.replace(/^Description: .*/m, 'Description: x\n .\n Package: evil\n Version: 9'),
      (stanza) => stanza.replace(/^Section: .*/m, `Section: x\r\n\r\n${evil('\r\nVersion: 9\r\n')}`),
      (stanza) => stanza.replace(/^Section: .*/m, `Section: x\r${evil('')}`),
      (stanza) => stanza.replace(/^Section: .*/m, `Section: x\v\v${evil('')}`),
      (stanza) => stanza.replace(/^Section: .*/m, `Section: x\xe2\x80\xa8${evil('')}`),
      (stanza) => stanza.replace(/^Section: .*/m, `Section: x\x00\n\x00\n${evil('')}`),
      (stanza) => stanza.replace(/^Package: .*/m, 'Package: greeter evil'),
    ]
    for (const [number, forge] of forgeries.entries()) {
      const id = `forged-${number}`
      const edit = (text: string) => text.replace(/^Package: greeter\n(?:.+\n)+/m, forge)
      const release = (text: string) =>
        text.replace(/^Description: .*/m, 'Description: x\n .\n Suite: evil\n Package: evil')
      const files = await changeApt(aptFiles('v1'), { indexes: { [index]: edit }, release })
      await publish(files, 'stable', [id])
      await using apt = await open(id, 'stable')

      await apt.update()

      const packages = await apt.packages()
      expect(packages.filter((line) => line.includes('evil'))).toEqual([])
      expect(packages).toContain('apt 1.0 amd64')
      expect((await apt.list('_InRelease')).toString()).toMatch(/^Suite: stable$/m)
    }
  })
})
