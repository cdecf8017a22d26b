import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AptFiles, aptFiles, aptKeyFile, changeApt, currentAptFiles } from '../support/apt-upstream.ts'
import { AptClient, type AptOptions, type AptSource } from './apt.ts'
import { bootstrap } from './debootstrap.ts'
import { type Nginx, startNginx } from './nginx.ts'
import { describeWith } from './requirements.ts'

const archive = aptKeyFile('archive')

describeWith(
  ['apt-get', 'apt-file', 'dpkg', 'dpkg-source', 'nginx', 'setpriv'],
  'apt on the test upstream',
  () => {
    let folder: string
    let nginx: Nginx
    const write = async (name: string, files: AptFiles) => {
      await rm(join(folder, name), { recursive: true, force: true })
      for (const [file, bytes] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name, file)), { recursive: true })
        await writeFile(join(folder, name, file), bytes)
      }
    }
    const source = (name: string, other: Partial<AptSource> = {}): AptSource => ({
      uri: `${nginx.url}/${name}`,
      suites: ['stable'],
      components: ['main', 'contrib'],
      signedBy: archive,
      ...other,
    })
    const open = (name: string, options: Partial<AptOptions> = {}, other: Partial<AptSource> = {}) =>
      AptClient.create({ sources: [source(name, other)], ...options })

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'chantal-apt-upstream-'))
      await chmod(folder, 0o755)
      await write('v1', aptFiles('v1'))
      await write('v2', aptFiles('v2'))
      nginx = await startNginx(folder)
    })
    afterAll(async () => {
      await nginx.stop()
      await rm(folder, { recursive: true, force: true })
    })

    it('loads indexes by hash, with all that other programs ask for, and finds what was loaded unchanged', async () => {
      await using apt = await open('v1', { everything: true, languages: ['de', 'en'] }, { sources: true })

      const first = await apt.update()
      const second = await apt.update()

      expect(first.ignored).toEqual([])
      expect(second).toEqual({ got: [], hit: [`${nginx.url}/v1 stable InRelease`], ignored: [] })
      expect((await nginx.requests()).filter(({ status }) => status >= 400)).toEqual([])
      const lists = (await apt.lists()).map((name) => name.replace(/^.*_dists_stable_/, ''))
      expect(lists).toEqual(
        expect.arrayContaining(['InRelease', 'main_Contents-all', 'contrib_source_Sources']),
      )
      expect(lists.filter((name) => /cnf|dep11|Translation/.test(name))).toHaveLength(6)
    })

    it('lists packages, versions, priorities and descriptions, and finds owners of files', async () => {
      await using apt = await open('v1', { everything: true, languages: ['de', 'en'] })
      await apt.update()

      expect(await apt.packages()).toHaveLength(9)
      expect(await apt.policy('greeter')).toEqual({
        installed: null,
        candidate: '1.0-1',
        versions: [
          { version: '1.0-1', priority: 500 },
          { version: '0.9-1', priority: 500 },
        ],
      })
      expect(await apt.show('greeter')).toContain(
        'Description-de: sagt Guten Tag\n Es sagt allen Guten Tag.\n',
      )
      expect(await apt.show('libgreet1')).toContain(
        'Description-en: library for greetings\n It holds no code at all.\n',
      )
      expect(await apt.packagesWith('/usr/share/greeter/words')).toEqual(['greeter-data'])
    })

    it('installs across components, upgrades, and downloads binaries and sources', async () => {
      await using apt = await open('v1', {}, { sources: true })
      await apt.update()

      await apt.install('greeter-plugins')
      const installed = await apt.installed()
      const [deb] = await apt.download('greeter=0.9-1')
      const sources = await apt.source('greeter')
      const unpacked = await apt.source('libgreet', { unpack: true })
      await apt.setSources([source('v2')])
      await apt.update()
      await apt.upgrade()

      expect(installed).toEqual([
        'greeter 1.0-1 amd64',
        'greeter-data 1.0-1 all',
        'greeter-plugins 1.0 amd64',
        'libgreet1 1:2.0~rc1+dfsg-1 amd64',
      ])
      expect(basename(deb ?? '')).toBe('greeter_0.9-1_amd64.deb')
      expect(sources.map((file) => basename(file))).toEqual([
        'greeter_1.0-1.debian.tar.xz',
        'greeter_1.0-1.dsc',
        'greeter_1.0.orig.tar.xz',
      ])
      expect(unpacked.map((file) => basename(file))).toContain('libgreet-2.0~rc1+dfsg')
      expect(await readFile(join(apt.root, 'usr/bin/greeter'), 'utf8')).toBe('#!/bin/cat 1.1-1\n')
      expect(await apt.installed()).toContain('greeter 1.1-1 amd64')
    })

    it('takes another architecture, a path as suite, a flat repository, and a key inside the stanza', async () => {
      const key = await readFile(archive, 'utf8')
      await using apt = await AptClient.create({
        architectures: ['amd64', 'i386'],
        sources: [
          source('v1', { signedBy: key }),
          source('v1', { suites: ['old/updates'], components: ['main'] }),
          source('v1/flat', { suites: ['./'], components: [], signedBy: key }),
        ],
      })

      const { ignored } = await apt.update()
      await apt.install('greeter:i386', 'flat-tool', 'old-fix')

      expect(ignored).toEqual([])
      expect(await apt.installed()).toEqual(
        expect.arrayContaining(['flat-tool 1.0 all', 'greeter 1.0-1 i386', 'old-fix 1.0 amd64']),
      )
    })

    it('gives a suite that is not automatic the priority 100', async () => {
      await write('valid', await currentAptFiles('v1'))
      await using apt = await open(
        'valid',
        {},
        { suites: ['stable', 'stable-updates'], components: ['main'] },
      )

      await apt.update()

      expect((await apt.policy('greeter')).versions).toEqual([
        { version: '1.0-1+u1', priority: 100 },
        { version: '1.0-1', priority: 500 },
        { version: '0.9-1', priority: 500 },
      ])
    })

    it.each([
      ['whose time is over', 'v1', { suites: ['stable-updates'], components: ['main'] }, 'is expired'],
      ['signed by a key that is not trusted', 'v1', { signedBy: aptKeyFile('other') }, 'NO_PUBKEY'],
      ['that was changed', 'tampered', {}, 'BADSIG'],
    ])('refuses a repository %s', async (_, name, other, message) => {
      const files = aptFiles('v1')
      const text = Buffer.from(files['dists/stable/InRelease'] ?? '').toString()
      await write('tampered', {
        ...files,
        'dists/stable/InRelease': Buffer.from(text.replace('Suite: stable', 'Suite: other')),
      })
      await using apt = await open(name, {}, other)

      await expect(apt.update()).rejects.toThrow(message)
    })

    it('fails on a warning, though apt ends well with it', async () => {
      const release = (text: string) =>
        text.replace('Codename: chantal', 'Codename: renamed').replace('Suite: stable', 'Suite: moved')
      await write('renamed', await changeApt(aptFiles('v1'), { release }))
      await using apt = await open('renamed')

      await expect(apt.update()).rejects.toThrow('W: Conflicting distribution')
    })

    it('accepts what was changed and listed and signed anew, and refuses an index that does not match', async () => {
      const index = 'main/binary-amd64/Packages'
      const changed = await changeApt(aptFiles('v1'), {
        indexes: { [index]: (text) => text.replace('Version: 0.9-1', 'Version: 0.9-2') },
      })
      const isIndex = (name: string) => name.includes('/main/binary-amd64/')
      const mismatch = Object.entries(changed).map(([name, bytes]) => [
        name,
        isIndex(name) ? bytes.toReversed() : bytes,
      ])
      await write('changed', changed)
      await write('mismatch', Object.fromEntries(mismatch))
      await using good = await open('changed')
      await using bad = await open('mismatch')

      await good.update()

      expect(await good.packages()).toContain('greeter 0.9-2 amd64')
      await expect(bad.update()).rejects.toThrow('Hash Sum mismatch')
    })
  },
)

describeWith(['debootstrap', 'nginx', 'setpriv'], 'debootstrap on the test upstream', () => {
  it('makes the first stage of a system of what is required', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chantal-apt-upstream-'))
    await chmod(folder, 0o755)
    await cp('tests/fixtures/apt/v1', join(folder, 'v1'), { recursive: true })
    await using nginx = await startNginx(folder)

    const { downloaded, unpacked } = await bootstrap({
      uri: `${nginx.url}/v1`,
      suite: 'stable',
      key: archive,
    })

    expect(downloaded).toEqual(['apt_1.0_amd64.deb', 'demo-base_1.0_amd64.deb', 'demo-libc_1.0_amd64.deb'])
    expect(unpacked).toEqual(['minimal', 'minimal/demo-base', 'minimal/demo-libc'])
    await rm(folder, { recursive: true, force: true })
  })

  it('refuses what another key has signed', async () => {
    await using nginx = await startNginx(resolve('tests/fixtures/apt/v1'))

    const attempt = bootstrap({ uri: nginx.url, suite: 'stable', key: aptKeyFile('other') })

    await expect(attempt).rejects.toThrow('Release signed by unknown key')
  })
})
