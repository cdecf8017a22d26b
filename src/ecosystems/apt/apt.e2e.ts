import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AptClient, type AptOptions, type AptSource } from '../../../tests/clients/apt.ts'
import { bootstrap } from '../../../tests/clients/debootstrap.ts'
import { type Nginx, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import {
  type AptState,
  type AptUpstream,
  aptKeyFile,
  currentAptFiles,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'

const archive = aptKeyFile('archive')
const modes = ['mirror', 'filtered'] as const
const trees = ['latest', 'snapshots/v1'].flatMap((tree) => modes.map((mode) => `${mode}/${tree}`))
const installed = (version: string) => [
  `greeter ${version} amd64`,
  `greeter-data ${version} all`,
  'greeter-plugins 1.0 amd64',
  'libgreet1 1:2.0~rc1+dfsg-1 amd64',
]

describeWith(
  ['apt-get', 'apt-file', 'debootstrap', 'dpkg', 'dpkg-source', 'nginx', 'setpriv'],
  'apt on published APT trees',
  () => {
    let site: Site
    let nginx: Nginx
    let upstream: AptUpstream
    const keyFor = (path: string) => (path.includes('mirror/') ? archive : join(site.folder, 'public.asc'))
    const source = (path: string, other: Partial<AptSource> = {}): AptSource => ({
      uri: `${nginx.url}/repositories/${path}`,
      suites: ['stable'],
      components: ['main', 'contrib'],
      signedBy: keyFor(path),
      sources: true,
      ...other,
    })
    const sources = (path: string, other: Partial<AptSource> = {}) => [
      source(path, other),
      source(path, { ...other, suites: ['stable-updates'], components: ['main'] }),
    ]
    const open = (path: string, options: Partial<AptOptions> = {}) =>
      AptClient.create({ sources: sources(path), everything: true, languages: ['de', 'en'], ...options })
    const show = async (state: AptState) => {
      upstream.show(await currentAptFiles(state))
      for (const id of modes) await site.sync(id)
      for (const id of modes) await site.publish(id)
    }

    beforeAll(async () => {
      const { privateKey, publicKey } = await signingKey()
      upstream = await startAptUpstream()
      const apt = {
        suites: ['stable', 'stable-updates', 'old/updates'],
        sources: true,
        installer: true,
        diffs: true,
      }
      const base = { type: 'apt', feed: upstream.url.href, verify: { keys: [archive] } }
      const flat = { ...base, feed: `${upstream.url.href}flat/`, apt: { suites: ['./'] } }
      site = await openSite({
        repositories: modes.flatMap((mode) => [
          { ...base, id: mode, mode, apt: mode === 'mirror' ? apt : { ...apt, diffs: false } },
          { ...flat, id: `flat-${mode}`, mode },
        ]),
        sections: { signing: { key_file: 'key.asc' } },
        files: { 'key.asc': privateKey, 'public.asc': publicKey },
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

    /** What a client learns of a tree. */
    async function view(apt: AptClient) {
      const names = ['greeter', 'greeter-data', 'greeter-plugins', 'libgreet1', 'apt']
      const shown: string[] = []
      const policies: Awaited<ReturnType<AptClient['policy']>>[] = []
      for (const name of names) {
        shown.push((await apt.show(name)).replaceAll(/^Filename: .*\n/gm, ''))
        policies.push(await apt.policy(name))
      }
      return {
        packages: await apt.packages(),
        shown,
        policies,
        owners: await apt.packagesWith('/usr/share/greeter/words'),
        sources: (await apt.source('libgreet')).map((file) => basename(file)),
        lists: (await apt.lists()).map((name) => name.replace(/^.*_dists_/, '')),
        commands: (await apt.list('stable_main_cnf_Commands-amd64')).toString(),
        components: (await apt.list('stable_main_dep11_Components-amd64.yml')).toString(),
        icons: (await apt.list('stable_main_dep11_icons-48x48.tar')).byteLength,
      }
    }

    it('shows what upstream shows, in every kind of tree, and installs from it with all checks on', async () => {
      await using original = await AptClient.create({
        sources: sources('mirror/', { uri: upstream.url.href.replace(/\/$/, '') }),
        everything: true,
        languages: ['de', 'en'],
      })
      await original.update()
      const expected = await view(original)
      expect(expected.packages).toHaveLength(11)
      expect(expected.shown.join()).toContain('Description-de: sagt Guten Tag')
      expect(expected.policies[0]?.versions.map(({ priority }) => priority)).toEqual([100, 500, 500])
      expect(expected.icons).toBeGreaterThan(0)

      for (const path of trees) {
        await using apt = await open(path)
        expect((await apt.update()).ignored).toEqual([])
        expect(await view(apt)).toEqual(expected)
        await apt.install('greeter-plugins')
        expect(await apt.installed()).toEqual(installed('1.0-1'))
        const unpacked = await apt.source('greeter-plugins', { unpack: true })
        expect(unpacked.map((file) => basename(file))).toContain('greeter-plugins-1.0')
      }
      expect((await nginx.requests()).filter(({ status }) => status >= 400)).toEqual([])
    })

    it('refuses a generated tree without our key, and finds that key at its top', async () => {
      await using apt = await AptClient.create({
        sources: [source('filtered/latest', { signedBy: archive })],
      })
      const answer = await fetch(`${nginx.url}/repositories/filtered/latest/key.asc`)

      await expect(apt.update()).rejects.toThrow('NO_PUBKEY')
      expect(await answer.text()).toBe((await signingKey()).publicKey)
    })

    it.each(modes)(
      'serves foreign architectures, paths as suites, keys inside a stanza: %s',
      async (mode) => {
        const signedBy = await readFile(keyFor(`${mode}/`), 'utf8')
        await using apt = await AptClient.create({
          architectures: ['amd64', 'i386'],
          sources: [
            source(`${mode}/latest`, { signedBy }),
            source(`${mode}/latest`, {
              signedBy,
              suites: ['old/updates'],
              components: ['main'],
              sources: false,
            }),
          ],
        })

        await apt.update()
        await apt.install('greeter:i386', 'old-fix')

        expect(await apt.installed()).toContain('greeter 1.0-1 i386')
        expect(await apt.installed()).toContain('old-fix 1.0 amd64')
      },
    )

    it.each(modes)('lets debootstrap make the first stage of a system: %s', async (mode) => {
      const uri = `${nginx.url}/repositories/${mode}/latest`

      const { downloaded, unpacked } = await bootstrap({ uri, suite: 'stable', key: keyFor(`${mode}/`) })

      expect(downloaded).toEqual(['apt_1.0_amd64.deb', 'demo-base_1.0_amd64.deb', 'demo-libc_1.0_amd64.deb'])
      expect(unpacked).toContain('minimal/demo-libc')
    })

    it.each(modes)(
      'keeps a flat repository flat, also when a package is replaced in place: %s',
      async (mode) => {
        const id = `flat-${mode}`
        const flat = source(`${id}/latest`, {
          suites: ['./'],
          components: [],
          sources: false,
          signedBy: mode === 'mirror' ? archive : join(site.folder, 'public.asc'),
        })
        await using apt = await AptClient.create({ sources: [flat] })
        const shown = async (state: AptState) => {
          upstream.show(await currentAptFiles(state))
          await site.sync(id)
          await site.publish(id)
          await apt.update()
          const [file = ''] = await apt.download('flat-tool')
          return { packages: await apt.packages(), tool: await readFile(file) }
        }

        const first = await shown('v1')
        const second = await shown('v2')
        await apt.install('flat-lib')

        const original = async (state: AptState) =>
          await readFile(resolve('tests/fixtures/apt', state, 'flat/flat-tool_1.0_all.deb'))
        expect(first.packages).toEqual(['flat-lib 0.1 amd64', 'flat-tool 1.0 all'])
        expect(second.packages).toEqual(['flat-lib 0.2 amd64', 'flat-tool 1.0 all'])
        expect(Buffer.compare(first.tool, await original('v1'))).toBe(0)
        expect(Buffer.compare(second.tool, await original('v2'))).toBe(0)
        expect(await apt.installed()).toEqual(['flat-lib 0.2 amd64'])
      },
    )

    it('goes on to what upstream brings, while snapshots install what they did; a rollback takes it back', async () => {
      await using moving = await open('filtered/latest')
      await using mirrored = await open('mirror/latest')
      await moving.update()
      await mirrored.update()
      await moving.install('greeter-plugins')

      await show('v2')
      await moving.update()
      await mirrored.update()
      await moving.upgrade()

      expect(await moving.installed()).toEqual(installed('1.1-1'))
      expect((await mirrored.policy('greeter')).candidate).toBe('1.1-1')
      expect(await mirrored.packages()).toContain('greeter-extra 1.0 amd64')
      const patches = (await nginx.requests()).filter(({ path }) => path.includes('/Packages.diff/T-'))
      expect(patches.map(({ status }) => status)).toEqual([200])
      for (const mode of modes) {
        await using frozen = await open(`${mode}/snapshots/v1`)
        await frozen.update()
        await frozen.install('greeter-plugins')
        expect(await frozen.installed()).toEqual(installed('1.0-1'))
      }

      await site.rollBack('repositories/filtered/latest')
      const { got } = await moving.update()

      expect(got).toContain(`${nginx.url}/repositories/filtered/latest stable InRelease`)
      const versions = (await moving.policy('greeter')).versions.map(({ version }) => version)
      expect(versions).toEqual(['1.1-1', '1.0-1+u1', '1.0-1', '0.9-1'])
      expect(await moving.packages()).not.toContain('greeter-extra 1.0 amd64')
      await using fresh = await open('filtered/latest')
      await fresh.update()
      await fresh.install('greeter-plugins')
      expect(await fresh.installed()).toEqual(installed('1.0-1'))
      await expect(site.publish('filtered')).rejects.toMatchObject({ code: 'PATH_HELD' })
    })

    it('says that it cannot take a verbatim tree back for clients that know the newer one', async () => {
      await using before = await open('mirror/latest')
      await before.update()

      await site.rollBack('repositories/mirror/latest')
      await before.update()
      const warnings = site.warnings('OLDER_VERBATIM_TREE')

      expect((await before.policy('greeter')).candidate).toBe('1.1-1')
      await using fresh = await open('mirror/latest')
      await fresh.update()
      expect((await fresh.policy('greeter')).candidate).toBe('1.0-1')
      expect(warnings).toEqual([expect.stringContaining('repositories/mirror/latest')])
    })
  },
)
