import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { aptPrivateKeyFile } from '../../../tests/support/apt-upstream.ts'
import { rpmFiles } from '../../../tests/support/rpm-files.ts'
import { filesBelow, openSite } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const latest = 'repositories/tree/latest'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const images = {
  'images/boot.iso': 'an image',
  'images/install.img': 'the second stage',
  'images/pxeboot/vmlinuz': 'a kernel',
  'images/pxeboot/vmlinuz-xen': 'another kernel',
}
const extra = {
  EULA: 'agree',
  'RPM-GPG-KEY-tree': 'a key',
  'media.repo': '[InstallMedia]\n',
  'isolinux/a.cfg': 'default linux\n',
}
const treeinfo = `[checksums]
images/boot.iso = sha256:${sha256(images['images/boot.iso'])}
repodata/repomd.xml = sha256:${sha256('of upstream')}

[general]
version = 8

[images-x86_64]
boot.iso = images/boot.iso
kernel = images/pxeboot/vmlinuz

[images-xen]
kernel = images/pxeboot/vmlinuz-xen

[stage2]
mainimage = images/install.img

[tree]
build_timestamp = 1554367044.15

[variant-AppStream]
repository = ../AppStream/os
`
const extraFiles = JSON.stringify({
  header: { version: '1.0' },
  data: Object.entries(extra).map(([file, text]) => ({
    file,
    size: text.length,
    checksums: { sha256: sha256(text) },
  })),
})
const packages = rpmFiles([{ name: 'oak' }])
const absent = { kind: 'status', status: 403 } as const

describe('an installer tree', () => {
  it.each([
    ['mirror', '.treeinfo'],
    ['mirror', 'treeinfo'],
    ['filtered', '.treeinfo'],
  ])('has all that its treeinfo and its extra_files.json name: %s, %s', async (mode, name) => {
    const files = { ...packages, ...images, ...extra, [name]: treeinfo, 'extra_files.json': extraFiles }
    await using upstream = await startUpstream({ files })
    await using site = await openSite({
      repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url, mode }],
    })

    await site.sync('tree')
    await site.publish('tree')

    const folder = site.published(latest)
    const names = await filesBelow(folder)
    expect(names.filter((path) => !path.startsWith('repodata/'))).toEqual(
      Object.keys(files)
        .filter((path) => !path.startsWith('repodata/'))
        .sort(),
    )
    for (const [path, text] of Object.entries({ ...images, ...extra }))
      expect(await readFile(join(folder, path), 'utf8')).toBe(text)
    // A generated tree has another repomd.xml than the one whose checksum upstream states.
    const expected =
      mode === 'mirror' ? treeinfo : treeinfo.replace(/^repodata.*\n/m, '').replace(/\[variant-.*$/s, '')
    expect(await readFile(join(folder, name), 'utf8')).toBe(expected)
  })

  const others = `
[variant-Base]
repository = .

[addon-Base-Storage]
repository = addons/Storage
`
  const storage = {
    'addons/Storage/repodata/repomd.xml': 'metadata of another repository',
    'addons/Storage/repodata/primary.xml.gz': 'which lists packages',
  }
  const namingStorage = `${treeinfo}${others}`.replace(
    /(?<=\[checksums\]\n)/,
    `addons/Storage/repodata/repomd.xml = sha256:${sha256(storage['addons/Storage/repodata/repomd.xml'])}\n`,
  )

  it.each([
    ['mirror', 'goes on naming them: add-on Base-Storage at addons/Storage. Mirror each'],
    [
      'filtered',
      'does not name them: variant AppStream at ../AppStream/os, add-on Base-Storage at addons/Storage. Mirror each',
    ],
  ])(
    'has nothing of another repository within it, not even its index, and says so: %s',
    async (mode, said) => {
      const files = { ...packages, ...images, ...storage, '.treeinfo': namingStorage }
      const extraFile = { data: [{ file: 'addons/Storage/repodata/repomd.xml', size: 30, checksums: {} }] }
      await using upstream = await startUpstream({
        files: { ...files, 'extra_files.json': JSON.stringify(extraFile) },
      })
      await using site = await openSite({
        repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url, mode }],
      })

      await site.sync('tree')
      await site.publish('tree')

      const folder = site.published(latest)
      expect((await filesBelow(folder)).filter((path) => path.includes('Storage'))).toEqual([])
      expect(site.warnings('METADATA_DROPPED')).toEqual([expect.stringContaining(said)])
      const text = await readFile(join(folder, '.treeinfo'), 'utf8')
      if (mode === 'mirror') expect(text).toBe(namingStorage)
      else expect(text).not.toMatch(/Storage|AppStream/)
    },
  )

  it('gives way to the key that a generated tree is signed with', async () => {
    const named = `${treeinfo}\n[images-key]\nkey = key.asc\n`
    const files = { ...packages, ...images, 'key.asc': 'of upstream', '.treeinfo': named }
    await using upstream = await startUpstream({ files })
    const privateKey = await readFile(aptPrivateKeyFile('other'), 'utf8')
    await using site = await openSite({
      repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      sections: { signing: { key_file: 'private.asc' } },
      files: { 'private.asc': privateKey },
    })
    await site.sync('tree')

    await site.publish('tree')

    expect(await readFile(join(site.published(latest), 'key.asc'), 'utf8')).toContain('PGP PUBLIC KEY')
    expect(site.warnings('METADATA_DROPPED')).toContainEqual(expect.stringContaining('key.asc of upstream'))
  })

  it('is found under its second name where the first is refused, as stores do for what they have not', async () => {
    const files = { ...packages, ...images, treeinfo }
    await using upstream = await startUpstream({ files })
    for (const path of [
      '.treeinfo',
      'extra_files.json',
      'repodata/repomd.xml.asc',
      'repodata/repomd.xml.key',
    ])
      upstream.behave(path, absent)
    await using site = await openSite({ repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url }] })

    await site.sync('tree')
    await site.publish('tree')

    const names = await filesBelow(site.published(latest))
    expect(names).toEqual(expect.arrayContaining(['treeinfo', ...Object.keys(images)]))
  })

  it('is no reason to fail for a repository that has none', async () => {
    await using upstream = await startUpstream({ files: packages })
    upstream.behave('.treeinfo', absent)
    upstream.behave('treeinfo', { kind: 'page' })
    await using site = await openSite({ repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url }] })

    expect(await site.sync('tree')).toMatchObject({ status: 'synced', packages: 1, missing: [] })
  })

  it.each(['mirror', 'filtered'])(
    'is taken without what a server has only pages for, and no page is published: %s',
    async (mode) => {
      await using upstream = await startUpstream({ files: { ...packages, ...images, '.treeinfo': treeinfo } })
      for (const path of ['extra_files.json', 'repodata/repomd.xml.asc', 'repodata/repomd.xml.key'])
        upstream.behave(path, { kind: 'page' })
      await using site = await openSite({
        repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url, mode }],
      })

      const { status, warnings } = await site.sync('tree')
      await site.publish('tree')

      expect(status).toBe('synced')
      const ofVariants = mode === 'filtered' ? ['METADATA_DROPPED'] : []
      expect(warnings.map(({ code }) => code)).toEqual(['VERIFICATION_OFF', ...ofVariants])
      const names = await filesBelow(site.published(latest))
      expect(names.filter((name) => !name.endsWith('.rpm') && !name.endsWith('.xml.gz'))).toEqual([
        '.treeinfo',
        ...Object.keys(images),
        'repodata/repomd.xml',
      ])
    },
  )

  it('is taken with a warning where its extra_files.json breaks off', async () => {
    const files = { ...packages, ...images, '.treeinfo': treeinfo, 'extra_files.json': '{"data": [' }
    await using upstream = await startUpstream({ files })
    await using site = await openSite({ repositories: [{ id: 'tree', type: 'rpm', feed: upstream.url }] })

    expect(await site.sync('tree')).toMatchObject({ status: 'synced' })

    expect(site.warnings('METADATA_MALFORMED')).toEqual([
      expect.stringMatching(/^extra_files\.json is no JSON/),
    ])
  })

  it('that names an image which is not there is partial, or goes without where it may', async () => {
    const { 'images/pxeboot/vmlinuz-xen': _, ...there } = images
    await using upstream = await startUpstream({ files: { ...packages, ...there, '.treeinfo': treeinfo } })
    const base = { type: 'rpm', feed: upstream.url }
    await using site = await openSite({
      repositories: [
        { ...base, id: 'strict' },
        { ...base, id: 'tree', on_missing: 'skip' },
      ],
    })

    const strict = await site.trySync('strict')
    const lenient = await site.sync('tree')
    await site.publish('tree')

    expect(strict).toMatchObject({ status: 'partial', error: { code: 'SYNC_INCOMPLETE' } })
    expect(lenient.missing.map(({ path }) => path)).toEqual(['images/pxeboot/vmlinuz-xen'])
    expect(await filesBelow(site.published(latest))).toEqual(expect.arrayContaining(Object.keys(there)))
  })
})
