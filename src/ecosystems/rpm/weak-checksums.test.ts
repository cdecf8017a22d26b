import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bodyOf, type OddPackage, rpmFiles } from '../../../tests/support/rpm-files.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite, readTree } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'

const packagesWith = (checksumType: string): readonly OddPackage[] =>
  ['oak', 'elm'].map((name) => ({ name, checksumType, files: [`/usr/bin/${name}`, `/usr/share/${name}`] }))
const latest = 'repositories/trees/latest'

describe('an upstream that vouches with weak checksums', () => {
  it.each(['sha', 'sha1', 'sha224'])(
    'is published generated with SHA-256 in its three documents and its index: %s',
    async (type) => {
      const packages = packagesWith(type)
      await using upstream = await startUpstream({ files: rpmFiles(packages, { checksumType: type }) })
      await using site = await openSite({
        repositories: [{ id: 'trees', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      })

      await site.sync('trees')
      await site.publish('trees')

      const tree = await readRpmTree(site.published(latest))
      const digests = packages.map((pkg) => createHash('sha256').update(bodyOf(pkg)).digest('hex'))
      expect(tree.repomd.records.map(({ checksum }) => checksum.algorithm)).toEqual([
        'sha256',
        'sha256',
        'sha256',
      ])
      expect(tree.packages.map(({ primary }) => primary.checksum)).toEqual(
        digests.toReversed().map((hex) => ({ algorithm: 'sha256', hex })),
      )
      // Found by pkgid: each document has the same one.
      expect(tree.packages.map(({ files }) => files.map(({ path }) => path))).toEqual([
        ['/usr/bin/elm', '/usr/share/elm'],
        ['/usr/bin/oak', '/usr/share/oak'],
      ])
      expect(tree.packages.map(({ changelogs }) => changelogs.length)).toEqual([1, 1])
    },
  )

  it.each([
    ['sha1', null],
    ['sha224', null],
    ['sha512', 'sha512'],
  ])(
    'has no weak checksum of what a document that is carried along opens to: %s',
    async (type, published) => {
      const productid = {
        type: 'productid',
        path: 'repodata/productid.gz',
        content: gzipSync('a certificate'),
        opensTo: 'a certificate',
      }
      const files = rpmFiles(packagesWith(type), { checksumType: type, records: [productid] })
      await using upstream = await startUpstream({ files })
      await using site = await openSite({
        repositories: [{ id: 'trees', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      })

      await site.sync('trees')
      await site.publish('trees')

      const { repomd } = await readRpmTree(site.published(latest))
      const record = repomd.records.find((each) => each.type === 'productid')
      expect(record?.checksum.algorithm).toBe('sha256')
      expect(record?.openChecksum?.algorithm ?? null).toBe(published)
    },
  )

  it.each(['sha384', 'sha512'])(
    'is not meant where its checksums are stronger than ours: %s stays',
    async (type) => {
      await using upstream = await startUpstream({ files: rpmFiles(packagesWith(type)) })
      await using site = await openSite({
        repositories: [{ id: 'trees', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      })

      await site.sync('trees')
      await site.publish('trees')

      const { packages } = await readRpmTree(site.published(latest))
      expect(packages.map(({ primary, files }) => [primary.checksum.algorithm, files.length])).toEqual([
        [type, 2],
        [type, 2],
      ])
    },
  )

  it('is mirrored as it is, with a warning', async () => {
    const files = rpmFiles(packagesWith('sha'), { checksumType: 'sha' })
    await using upstream = await startUpstream({ files })
    await using site = await openSite({ repositories: [{ id: 'trees', type: 'rpm', feed: upstream.url }] })

    await site.sync('trees')
    await site.publish('trees')

    expect(site.warnings('WEAK_CHECKSUM')).toEqual(['upstream vouches for 2 of 2 packages with SHA-1'])
    expect(await readTree(site.published(latest))).toEqual(
      new Map(
        Object.entries(files)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]),
      ),
    )
  })

  it('is not fetched again for that: packages are known by the checksum they came with', async () => {
    await using upstream = await startUpstream({
      files: rpmFiles(packagesWith('sha'), { checksumType: 'sha' }),
    })
    await using site = await openSite({
      repositories: ['trees', 'again'].map((id) => ({ id, type: 'rpm', feed: upstream.url })),
    })
    await site.sync('trees')
    upstream.forgetRequests()

    await site.sync('trees', { force: true })
    await site.sync('again')

    expect(upstream.requests.map(({ path }) => path).filter((path) => /\.rpm$|xml\.gz$/.test(path))).toEqual(
      [],
    )
  })

  it('is refused where it vouches with MD5', async () => {
    await using upstream = await startUpstream({ files: rpmFiles(packagesWith('md5')) })
    await using site = await openSite({ repositories: [{ id: 'trees', type: 'rpm', feed: upstream.url }] })

    const result = await site.trySync('trees')

    expect(result).toMatchObject({ status: 'failed', revision: null, error: { code: 'UPSTREAM_INVALID' } })
    expect(upstream.requests.map(({ path }) => path).filter((path) => path.endsWith('.rpm'))).toEqual([])
  })
})
