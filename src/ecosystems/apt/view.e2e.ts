import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AptClient, type AptSource } from '../../../tests/clients/apt.ts'
import { type Nginx, startNginx } from '../../../tests/clients/nginx.ts'
import { describeWith } from '../../../tests/clients/requirements.ts'
import {
  type AptFiles,
  type AptState,
  type AptUpstream,
  aptKeyFile,
  changeApt,
  currentAptFiles,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
import { findPackageFiles } from '../../app/package/find-package-files.ts'
import { uploadPackages } from '../../app/package/upload-packages.ts'

const signal = new AbortController().signal
const members = ['base', 'libs', 'flat', 'tools']

/** The suite of an archive that has libraries and nothing else. */
async function libraries(state: AptState): Promise<AptFiles> {
  const only = (text: string) =>
    text
      .split('\n\n')
      .filter((stanza) => stanza.startsWith('Package: libgreet1\n'))
      .map((stanza) => `${stanza}\n\n`)
      .join('')
  const indexes = Object.fromEntries(
    ['amd64', 'i386', 'all'].map((architecture) => [`main/binary-${architecture}/Packages`, only]),
  )
  return changeApt(await currentAptFiles(state), { indexes })
}

describeWith(
  ['apt-get', 'apt-file', 'dpkg', 'dpkg-source', 'nginx', 'setpriv'],
  'apt on a view of APT repositories',
  () => {
    let site: Site
    let nginx: Nginx
    let upstream: AptUpstream
    let archiveOfLibraries: AptUpstream
    const source = (path: string): AptSource => ({
      uri: `${nginx.url}/views/all/${path}`,
      suites: ['stable'],
      components: ['main', 'contrib', 'tools'],
      signedBy: join(site.folder, 'public.asc'),
      sources: true,
    })
    const open = (path: string) =>
      AptClient.create({
        sources: [source(path), { ...source(path), suites: ['flat/'], components: [], sources: false }],
        everything: true,
        languages: ['de', 'en'],
      })
    const show = async (state: AptState) => {
      upstream.show(await currentAptFiles(state))
      archiveOfLibraries.show(await libraries(state))
      for (const id of ['base', 'libs', 'flat']) await site.sync(id)
      await site.publish('all')
    }
    const installed = (version: string) => [
      `greeter ${version} amd64`,
      `greeter-data ${version} all`,
      'libgreet1 1:2.0~rc1+dfsg-1 amd64',
    ]

    beforeAll(async () => {
      const { privateKey, publicKey } = await signingKey()
      upstream = await startAptUpstream()
      archiveOfLibraries = await startAptUpstream()
      const verify = { keys: [aptKeyFile('archive')] }
      const stable = { suites: ['stable'], sources: true }
      site = await openSite({
        repositories: [
          {
            ...{ id: 'base', type: 'apt', feed: upstream.url.href, mode: 'filtered', verify, apt: stable },
            filters: { patterns: { exclude: ['^libgreet'] } },
          },
          {
            ...{ id: 'libs', type: 'apt', feed: archiveOfLibraries.url.href, verify },
            apt: { ...stable, components: ['main'], architectures: ['amd64'] },
          },
          { id: 'flat', type: 'apt', feed: `${upstream.url.href}flat/`, verify, apt: { suites: ['./'] } },
          { id: 'tools', type: 'apt', mode: 'hosted', apt: { suites: ['stable'], components: ['tools'] } },
        ],
        sections: { signing: { key_file: 'key.asc' }, views: [{ name: 'all', repos: members }] },
        files: { 'key.asc': privateKey, 'public.asc': publicKey },
      })
      const terms = { repository: 'tools', recursive: false }
      const paths = ['hello-xz_1.0-1_all.deb', 'hello-zstd_1.0-1_all.deb'].map(
        (name) => `tests/fixtures/deb/${name}`,
      )
      const files = await findPackageFiles(site.context, { ...terms, paths }, signal)
      const upload = { repository: 'tools', files, suite: null, component: null, force: false }
      await uploadPackages(site.context, upload, signal)
      await show('v1')
      await site.snapshot('all@first')
      await site.publish('all@first')
      nginx = await startNginx(site.published('.'))
    })
    afterAll(async () => {
      await nginx.stop()
      await upstream[Symbol.asyncDispose]()
      await archiveOfLibraries[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    })

    it.each(['latest', 'snapshots/first'])(
      'installs across members, with all checks on: %s',
      async (path) => {
        await using apt = await open(path)

        expect((await apt.update()).ignored).toEqual([])
        await apt.install('greeter', 'flat-lib', 'hello-xz')

        expect(await apt.packages()).toEqual([
          'apt 1.0 amd64',
          'demo-base 1.0 amd64',
          'demo-libc 1.0 amd64',
          'flat-lib 0.1 amd64',
          'flat-tool 1.0 all',
          'greeter 0.9-1 amd64',
          'greeter 1.0-1 amd64',
          'greeter-data 0.9-1 all',
          'greeter-data 1.0-1 all',
          'greeter-plugins 1.0 amd64',
          'hello-xz 1.0-1 all',
          'hello-zstd 1.0-1 all',
          'libgreet1 1:2.0~rc1+dfsg-1 amd64',
        ])
        expect(await apt.installed()).toEqual(
          ['flat-lib 0.1 amd64', ...installed('1.0-1'), 'hello-xz 1.0-1 all'].sort(),
        )
        expect((await nginx.requests()).filter(({ status }) => status >= 400)).toEqual([])
      },
    )

    it('learns from all members what accompanies packages', async () => {
      await using apt = await open('latest')
      await apt.update()

      expect(await apt.show('greeter=1.0-1')).toContain('Description-de: sagt Guten Tag')
      expect(await apt.show('libgreet1')).toContain('It holds no code at all.')
      expect(await apt.policy('libgreet1')).toEqual({
        installed: null,
        candidate: '1:2.0~rc1+dfsg-1',
        versions: [{ version: '1:2.0~rc1+dfsg-1', priority: 500 }],
      })
      expect(await apt.packagesWith('/usr/lib/libgreet.so.1')).toEqual(['libgreet1'])
      expect(await apt.packagesWith('/usr/share/greeter/plugins/loud')).toEqual(['greeter-plugins'])
      const unpacked = await apt.source('libgreet', { unpack: true })
      expect(unpacked.map((file) => file.replace(/.*\//, ''))).toContain('libgreet-2.0~rc1+dfsg')
    })

    it('sees all members of before or all of after, while the snapshot stays; and goes back', async () => {
      await using apt = await open('latest')
      await apt.update()
      await apt.install('greeter', 'flat-lib')

      await show('v2')
      await apt.update()
      await apt.upgrade()

      expect(await apt.installed()).toEqual(['flat-lib 0.2 amd64', ...installed('1.1-1')])
      await using frozen = await open('snapshots/first')
      await frozen.update()
      await frozen.install('greeter', 'flat-lib')
      expect(await frozen.installed()).toEqual(['flat-lib 0.1 amd64', ...installed('1.0-1')])
      await site.rollBack('views/all/latest')
      await using fresh = await open('latest')
      await fresh.update()
      await fresh.install('greeter', 'flat-lib')
      expect(await fresh.installed()).toEqual(['flat-lib 0.1 amd64', ...installed('1.0-1')])
      await apt.update()
      expect((await apt.policy('greeter')).versions.map(({ version }) => version)).toContain('1.0-1')
    })
  },
)
