import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readAptTree } from '../../../tests/support/apt-tree.ts'
import { openSite, readTree, type Site, signingKey } from '../../../tests/support/site.ts'
import { findPackageFiles } from '../../app/package/find-package-files.ts'
import { uploadPackages } from '../../app/package/upload-packages.ts'

const signal = new AbortController().signal
const deb = (name: string) => join('tests/fixtures/deb', name)
const latest = 'repositories/tools/latest'

async function openHosted(apt: object): Promise<Site> {
  const { privateKey } = await signingKey()
  return openSite({
    repositories: [{ id: 'tools', type: 'apt', mode: 'hosted', apt }],
    sections: { signing: { key_file: 'key.asc' } },
    files: { 'key.asc': privateKey },
  })
}

async function upload({ context }: Site, paths: readonly string[], suite: string | null = null) {
  const files = await findPackageFiles(context, { repository: 'tools', paths, recursive: false }, signal)
  const terms = { repository: 'tools', files, suite, component: null, force: false }
  return uploadPackages(context, terms, signal)
}

async function packagesIn(site: Site, index: string): Promise<readonly string[]> {
  const bytes = await readFile(join(site.published(latest), `dists/${index}/Packages.gz`))
  return [
    ...gunzipSync(bytes)
      .toString()
      .matchAll(/^Package: (.*)$/gm),
  ].map(([, name]) => name ?? '')
}

describe('a hosted APT repository', () => {
  it('is published with an index for each architecture, in which packages for all stand too', async () => {
    await using site = await openHosted({ suites: ['stable', 'testing'], architectures: ['amd64', 'arm64'] })
    await upload(site, [deb('libhello1_2.0-1_amd64.deb'), deb('hello-xz_1.0-1_all.deb')])
    await upload(site, [deb('hello-udeb_1.0-1_amd64.udeb')])
    await upload(site, [deb('hello-xz_1.0-1_all.deb'), deb('hello-gzip_1.0-1_all.deb')], 'testing')

    expect((await site.publish('tools')).packages).toBe(5)

    expect(await packagesIn(site, 'stable/main/binary-amd64')).toEqual(['hello-xz', 'libhello1'])
    expect(await packagesIn(site, 'stable/main/binary-arm64')).toEqual(['hello-xz'])
    expect(await packagesIn(site, 'stable/main/debian-installer/binary-amd64')).toEqual(['hello-udeb'])
    expect(await packagesIn(site, 'testing/main/binary-amd64')).toEqual(['hello-gzip', 'hello-xz'])
    const paths = [...(await readTree(site.published(latest))).keys()]
    expect(paths.filter((path) => path.startsWith('pool/')).sort()).toEqual([
      'pool/main/h/hello-gzip/hello-gzip_1.0-1_all.deb',
      'pool/main/h/hello-xz/hello-xz_1.0-1_all.deb',
      'pool/main/h/hello/hello-udeb_1.0-1_amd64.udeb',
      'pool/main/h/hello/libhello1_2.0-1_amd64.deb',
    ])
    expect(paths).toEqual(expect.arrayContaining(['dists/stable/InRelease', 'dists/testing/InRelease']))
  })

  it('has in a snapshot what was frozen, for all architectures too, whatever suites are configured by then', async () => {
    await using site = await openHosted({ suites: ['stable', 'testing'], architectures: ['arm64'] })
    await upload(site, [deb('hello-xz_1.0-1_all.deb')], 'testing')
    await site.snapshot('tools@both')
    const tools = { id: 'tools', type: 'apt', mode: 'hosted', apt: { suites: ['stable'] } }
    await site.reopen({ repositories: [tools] })

    const { path } = await site.publish('tools@both')

    const { trouble, indexes } = await readAptTree(site.published(path), 'testing')
    expect(trouble).toEqual([])
    expect(indexes.get('main/binary-amd64/Packages')).toHaveLength(1)
  })

  it('holds one file under a path, whichever suites have it', async () => {
    await using site = await openHosted({ suites: ['stable', 'testing'] })
    await upload(site, [deb('hello-xz_1.0-1_all.deb')])
    const other = join(site.folder, 'hello-xz_1.0-1_all.deb')
    const bytes = await readFile(deb('hello-xz_1.0-1_all.deb'))
    // Readers of ar archives do not look at times.
    bytes.write('1767571201', bytes.indexOf('debian-binary') + 16, 'latin1')
    await writeFile(other, bytes)

    await expect(upload(site, [other], 'testing')).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      details: {
        paths: ['pool/main/h/hello-xz/hello-xz_1.0-1_all.deb, by stable/main/hello-xz_1.0-1_all'],
      },
    })
  })
})

it('a hosted APT repository cannot be configured as flat: no package could be uploaded', async () => {
  const site = openSite({
    repositories: [{ id: 'tools', type: 'apt', mode: 'hosted', apt: { suites: ['stable', './'] } }],
  })

  await expect(site).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('repositories[0].apt.suites[1]'),
    hint: expect.stringContaining('such as "stable"'),
  })
})
