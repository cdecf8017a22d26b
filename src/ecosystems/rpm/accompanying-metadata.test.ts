import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { entryOf, type OddPackage, type OddRecord, rpmFiles } from '../../../tests/support/rpm-files.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import { compress, detectCompression } from '../../codec/compression.ts'
import { readWhole } from '../../core/bytes.ts'
import { repodataFooter, repodataHeader } from './formats/repodata-document.ts'
import { parseRepomd } from './formats/repomd.ts'

const latest = 'repositories/some/latest'
const oak: OddPackage = { name: 'oak', files: ['/usr/bin/oak'] }
const elm: OddPackage = { name: 'elm' }
const withoutElm = { filters: { patterns: { exclude: ['^elm$'] } } }

/** Synced and published from an upstream that is gone since. */
async function publishedSite(
  files: Record<string, Uint8Array>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  await using upstream = await startUpstream({ files })
  const site = await openSite({ repositories: [{ id: 'some', type: 'rpm', feed: upstream.url, ...more }] })
  await site.sync('some')
  await site.publish('some')
  return site
}

const published = (site: Site) => readRpmTree(site.published(latest))
const typesOf = async (site: Site) => (await published(site)).repomd.records.map(({ type }) => type)

const comps = `<?xml version="1.0" encoding="UTF-8"?>
<comps>
  <group><id>trees</id><name>Trees</name><default>false</default><uservisible>true</uservisible>
    <packagelist><packagereq type="mandatory">oak</packagereq></packagelist></group>
  <group><id>none</id><name>None</name><packagelist/></group>
</comps>
`
const advisory = (id: string, name: string) =>
  `<update type="security"><id>${id}</id><pkglist><collection><package name="${name}" version="1.0" release="1" epoch="0" arch="noarch"><filename>${name}-1.0-1.noarch.rpm</filename></package></collection></pkglist></update>\n`
const updateinfo = (...advisories: readonly string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${advisories.join('')}</updates>\n`
const stream = (name: string, version: string, ...artifacts: readonly string[]) =>
  `---\ndocument: modulemd\nversion: 2\ndata:\n  name: ${name}\n  stream: ${version}\n  version: 1\n  context: c0ffee\n  arch: noarch\n  artifacts:\n    rpms:\n${artifacts.map((artifact) => `    - ${artifact}\n`).join('')}...\n`

describe('records of other kinds', () => {
  const strange: readonly OddRecord[] = [
    { type: 'susedata', path: 'repodata/susedata.xml.gz', content: gzipSync('<susedata/>') },
    { type: 'susedata.de', path: 'repodata/susedata.de.xml.gz', content: gzipSync('<susedata lang="de"/>') },
    { type: 'appstream', path: 'repodata/appstream.xml.gz', content: gzipSync('<components/>') },
    { type: 'productid', path: 'repodata/productid', content: 'a certificate' },
    { type: 'what-is-new', path: `repodata/${'e'.repeat(64)}`, content: 'named by a checksum alone' },
  ]
  const copies: readonly OddRecord[] = [
    { type: 'primary_db', path: 'repodata/primary.sqlite.bz2', content: 'sqlite' },
    { type: 'primary_zck', path: 'repodata/primary.xml.zck', content: '\u0000ZCK1 primary' },
    { type: 'filelists_zck', path: 'repodata/filelists.xml.zck', content: '\u0000ZCK1 filelists' },
    { type: 'group_zck', path: 'repodata/comps.xml.zck', content: '\u0000ZCK1 comps' },
    { type: 'updateinfo_zck', path: 'repodata/updateinfo.xml.zck', content: '\u0000ZCK1 updateinfo' },
  ]
  const delta = 'drpms/oak-0.9-1_1.0-1.noarch.drpm'
  const deltaSum = createHash('sha256').update('the difference').digest('hex')
  const deltas: OddRecord = {
    type: 'prestodelta',
    path: 'repodata/prestodelta.xml.gz',
    content: gzipSync(
      `<prestodelta><newpackage name="oak" epoch="0" version="1.0" release="1" arch="noarch"><delta oldepoch="0" oldversion="0.9" oldrelease="1"><filename>${delta}</filename><sequence>s</sequence><size>14</size><checksum type="sha256">${deltaSum}</checksum></delta></newpackage></prestodelta>`,
    ),
  }
  const head =
    '<revision>7</revision><contenthash type="sha256">ff</contenthash><tags><repo>obs</repo><distro cpeid="cpe:/o:trees">Trees</distro></tags>\n'
  const files = {
    ...rpmFiles([oak, elm], { head, records: [...strange, ...copies, deltas] }),
    [delta]: Buffer.from('the difference'),
  }

  it('are all in a mirror, with what they list, byte for byte', async () => {
    await using site = await publishedSite(files)

    const expected = Object.entries(files).map(([path, bytes]) => [
      path,
      createHash('sha256').update(bytes).digest('hex'),
    ])
    expect(Object.fromEntries(await readTree(site.published(latest)))).toEqual(Object.fromEntries(expected))
  })

  it('are in a generated tree but for deltas and for copies of the whole in another form', async () => {
    await using site = await publishedSite(files, withoutElm)

    const { repomd } = await published(site)
    const types = strange.map(({ type }) => type).sort()
    expect(repomd.records.map(({ type }) => type)).toEqual(['primary', 'filelists', 'other', ...types])
    expect(repomd.records.find(({ type }) => type === 'what-is-new')?.href).toBe(`repodata/${'e'.repeat(64)}`)
    expect(repomd.tags).toEqual({
      content: [],
      repo: ['obs'],
      distro: [{ cpeid: 'cpe:/o:trees', name: 'Trees' }],
    })
    // It is of upstream's packages.
    expect(repomd.contentHash).toBeNull()
    const names = [...(await readTree(site.published(latest))).keys()]
    expect(names.filter((name) => /drpm|zck|sqlite|prestodelta/.test(name))).toEqual([])
  })
})

describe('files with their checksums', () => {
  it('are pruned as the other documents are, under the name that upstream gives them', async () => {
    const documents = ['primary', 'filelists', 'other', 'filelists-ext'] as const
    const files = rpmFiles([oak, elm], { documents })

    await using site = await publishedSite(files, withoutElm)

    const { repomd } = await published(site)
    const href = repomd.records.find(({ type }) => type === 'filelists-ext')?.href ?? ''
    const text = gunzipSync(await readFile(join(site.published(latest), href))).toString()
    expect(text).toBe(
      `${repodataHeader('filelists-ext', 1)}${entryOf(oak, 'filelists-ext')}${repodataFooter('filelists-ext')}`,
    )
  })
})

describe('comps', () => {
  const bytes = Buffer.from(comps)
  const under = (type: string, path: string, content: Uint8Array): OddRecord => ({ type, path, content })
  const xz = () =>
    readWhole(
      compress(
        'xz',
        (async function* () {
          yield bytes
        })(),
      ),
    )

  it.each<[string, () => Promise<readonly OddRecord[]>]>([
    ['plain', async () => [under('group', 'repodata/comps.xml', bytes)]],
    ['by gzip, and named otherwise', async () => [under('group', 'repodata/comps.xml', gzipSync(bytes))]],
    ['by xz', async () => [under('group', 'repodata/comps.xml.xz', await xz())]],
    ['by zstd', async () => [under('group', 'repodata/comps.xml.zst', zstdCompressSync(bytes))]],
    ['by gzip alone', async () => [under('group_gz', 'repodata/comps.xml.gz', gzipSync(bytes))]],
    ['by xz alone', async () => [under('group_xz', 'repodata/comps.xml.xz', await xz())]],
    [
      'twice',
      async () => [
        under('group', 'repodata/comps.xml', bytes),
        under('group_gz', 'repodata/comps.xml.gz', gzipSync(bytes)),
      ],
    ],
  ])('come as one record of plain text, whole, however upstream has them: %s', async (_, records) => {
    await using site = await publishedSite(rpmFiles([oak, elm], { records: await records() }), withoutElm)

    const { repomd } = await published(site)
    const groups = repomd.records.filter(({ type }) => type.startsWith('group'))
    expect(groups.map(({ type }) => type)).toEqual(['group'])
    expect(await readFile(join(site.published(latest), groups[0]?.href ?? ''), 'utf8')).toBe(comps)
  })
})

describe('modules', () => {
  const modular: readonly OddPackage[] = ['1', '2'].map((version) => ({
    name: 'oak',
    version: `${version}.0-1.module`,
  }))
  const first = stream('tree', '1', 'oak-0:1.0-1.module.noarch')
  const second = stream('tree', '2', 'oak-0:2.0-1.module.noarch')
  const other = stream('bush', '1', 'elm-0:1.0-1.noarch')
  const modules = (text: string): OddRecord => ({
    type: 'modules',
    path: 'repodata/modules.yaml',
    content: text,
  })

  it('come with every modular package that is kept, and go with those that are not; streams are no versions of each other', async () => {
    const text = `${first}${second}${other}`
    const filters = { ...withoutElm.filters, post_processing: { only_latest_version: true } }

    await using site = await publishedSite(rpmFiles([...modular, elm], { records: [modules(text)] }), {
      filters,
    })

    const tree = await published(site)
    expect(tree.packages.map(({ primary }) => primary.nevra.version)).toEqual(['1.0', '2.0'])
    expect(tree.modules.map((document) => document.text).join('')).toBe(`${first}${second}`)
  })

  it('are not published where upstream has none, nor where none stays', async () => {
    await using without = await publishedSite(rpmFiles([oak, elm]), withoutElm)
    await using gone = await publishedSite(rpmFiles([oak, elm], { records: [modules(other)] }), withoutElm)

    expect(await typesOf(without)).toEqual(['primary', 'filelists', 'other'])
    expect(await typesOf(gone)).toEqual(['primary', 'filelists', 'other'])
  })
})

describe('advisories', () => {
  const record = (content: string): OddRecord => ({
    type: 'updateinfo',
    path: 'repodata/updateinfo.xml',
    content,
  })

  it('are pruned to what is published, each under its own id', async () => {
    const text = updateinfo(advisory('A', 'oak'), advisory('B', 'elm'), advisory('A', 'oak'))

    await using site = await publishedSite(rpmFiles([oak, elm], { records: [record(text)] }), withoutElm)

    expect((await published(site)).advisories.map(({ id }) => id)).toEqual(['A', 'A'])
  })

  it('are not published where none stays', async () => {
    const text = updateinfo(advisory('B', 'elm'))

    await using site = await publishedSite(rpmFiles([oak, elm], { records: [record(text)] }), withoutElm)

    expect(await typesOf(site)).toEqual(['primary', 'filelists', 'other'])
  })
})

describe('comps and advisories that cannot be read', () => {
  const good = updateinfo(advisory('A', 'oak'))
  const group = (content: string | Uint8Array): OddRecord => ({
    type: 'group',
    path: 'repodata/comps.xml',
    content,
  })
  const advisories = (content: string | Uint8Array): OddRecord => ({
    type: 'updateinfo',
    path: 'repodata/updateinfo.xml',
    content,
  })
  const page = '<html><body>Not here</body></html>'

  it.each<[string, OddRecord, string]>([
    ['comps with an open element', group('<comps><group></comps>'), 'comps.xml: malformed XML at line 1'],
    ['comps that are another document', group(page), 'comps.xml: the root is <html>'],
    ['comps that decompress to nothing', group(gzipSync(comps).subarray(0, 40)), 'truncated gzip data'],
    [
      'an advisory that breaks off behind others',
      advisories(good.replace('</updates>', '<update>\n</updates>')),
      'updateinfo.xml: ',
    ],
    [
      'advisories with an unknown entity',
      advisories(good.replace('<id>', '<id>&nbsp;')),
      'updateinfo.xml: malformed XML at line 3',
    ],
    ['advisories that are another document', advisories(page), 'updateinfo.xml: expected the root element'],
    ['advisories that are none', advisories(''), 'updateinfo.xml: '],
  ])(
    'are warned of by the sync, and left out of what is published, with a warning each time: %s',
    async (_, record, problem) => {
      const others = [group(comps), advisories(good)].filter(({ type }) => type !== record.type)
      await using upstream = await startUpstream({ files: rpmFiles([oak], { records: [record, ...others] }) })
      await using site = await openSite({
        repositories: [{ id: 'some', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      })

      const synced = await site.sync('some')
      await site.publish('some')
      await site.publish('some', { force: true })

      expect(synced.warnings.filter(({ code }) => code === 'METADATA_MALFORMED')).toEqual([
        {
          code: 'METADATA_MALFORMED',
          message: expect.stringContaining(
            `${record.type} cannot be read, and is left out of generated trees: ${problem}`,
          ),
        },
      ])
      const [, ...ofPublications] = site.warnings('METADATA_MALFORMED')
      expect(ofPublications).toEqual(
        [1, 2].map(() =>
          expect.stringContaining(`${record.type} of some is left out of this tree: ${problem}`),
        ),
      )
      const tree = await published(site)
      expect(tree.packages.map(({ primary }) => primary.nevra.name)).toEqual(['oak'])
      expect(tree.repomd.records.map(({ type }) => type)).toEqual([
        ...['primary', 'filelists', 'other'],
        ...others.map(({ type }) => type),
      ])
    },
  )

  it('do not keep a view from those of its other members, and are warned of where a mirror is one', async () => {
    const broken = [group('<comps>'), advisories(good.replace('</updates>', ''))]
    await using first = await startUpstream({ files: rpmFiles([elm], { records: broken }) })
    await using second = await startUpstream({
      files: rpmFiles([oak], { records: [group(comps), advisories(good)] }),
    })
    await using site = await openSite({
      repositories: [
        { id: 'first', type: 'rpm', feed: first.url },
        { id: 'second', type: 'rpm', feed: second.url },
      ],
      sections: { views: [{ name: 'both', repos: ['first', 'second'] }] },
    })

    const { warnings } = await site.sync('first')
    await site.sync('second')
    await site.publish('both')

    expect(warnings.filter(({ code }) => code === 'METADATA_MALFORMED')).toHaveLength(2)
    const tree = await readRpmTree(site.published('views/both/latest'))
    expect(tree.packages).toHaveLength(2)
    expect(tree.comps?.groups.map(({ id }) => id)).toEqual(['trees', 'none'])
    expect(tree.advisories.map(({ id }) => id)).toEqual(['A'])
    expect(site.warnings('METADATA_MALFORMED').slice(2)).toEqual([
      expect.stringContaining('group of first is left out of this tree'),
      expect.stringContaining('updateinfo of first is left out of this tree'),
    ])
  })

  it('are no matter of a verbatim mirror, which has them as they are', async () => {
    await using site = await publishedSite(rpmFiles([oak], { records: [group('<comps>')] }))

    expect(site.warnings('METADATA_MALFORMED')).toEqual([])
  })
})

describe('generated metadata', () => {
  it.each([
    ['gzip', '.gz'],
    ['zstd', '.zst'],
    ['xz', '.xz'],
  ])(
    'is compressed as its name says, and opens to what the index promises: %s',
    async (compression, extension) => {
      const records: readonly OddRecord[] = [
        { type: 'group', path: 'repodata/comps.xml', content: comps },
        {
          type: 'modules',
          path: 'repodata/modules.yaml',
          content: stream('tree', '1', 'oak-0:1.0-1.noarch'),
        },
        // Of a name that says something else than it is.
        {
          type: 'updateinfo',
          path: 'repodata/updateinfo.xml.xz',
          content: gzipSync(updateinfo(advisory('A', 'oak'))),
        },
      ]

      await using site = await publishedSite(rpmFiles([oak, elm], { records }), {
        ...withoutElm,
        rpm: { compression },
      })

      const folder = site.published(latest)
      // Reading checks every size and checksum, those of what is inside too.
      const { repomd } = await readRpmTree(folder)
      const compressed = repomd.records.filter(({ type }) => type !== 'group')
      expect(compressed.map(({ type }) => type)).toEqual([
        'primary',
        'filelists',
        'other',
        'modules',
        'updateinfo',
      ])
      for (const { href, openChecksum, openSize } of compressed) {
        expect(href.endsWith(extension)).toBe(true)
        expect(detectCompression(await readFile(join(folder, href)))).toBe(compression)
        expect([openChecksum?.algorithm, typeof openSize]).toEqual(['sha256', 'number'])
      }
    },
  )

  it('has one record of a type after every sync, and a revision that grows with every publication, a rollback too', async () => {
    // A clock that goes back.
    let now = new Date('2026-11-01T12:00:00Z')
    const files = { ...rpmFiles([oak]) }
    await using upstream = await startUpstream({ files })
    await using site = await openSite({
      repositories: [{ id: 'some', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
      now: () => now,
    })
    const indices: ReturnType<typeof parseRepomd>[] = []
    const look = async () => {
      indices.push(parseRepomd(await readFile(join(site.published(latest), 'repodata/repomd.xml'))))
    }

    for (const packages of [[oak], [oak, elm], []]) {
      for (const [path, bytes] of Object.entries(rpmFiles(packages))) upstream.put(path, bytes)
      await site.sync('some')
      await site.publish('some')
      await look()
      now = new Date(now.getTime() - 60_000)
    }
    await site.rollBack(latest)
    await look()

    const revisions = indices.map(({ revision }) => Number(revision))
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
    for (const { records } of indices)
      expect(records.map(({ type }) => type)).toEqual(['primary', 'filelists', 'other'])
    const stated = indices.map(({ records }) => Math.min(...records.map(({ timestamp }) => timestamp ?? 0)))
    expect(stated).toEqual(revisions)
    // What is inside is that of the second again.
    expect(indices[3]?.records.map(({ checksum }) => checksum.hex)).toEqual(
      indices[1]?.records.map(({ checksum }) => checksum.hex),
    )
  })
})

describe('metadata', () => {
  it('is fetched once in a sync: what was checked is what is read and kept', async () => {
    const records: readonly OddRecord[] = [
      { type: 'group', path: 'repodata/comps.xml', content: comps },
      { type: 'modules', path: 'repodata/modules.yaml', content: stream('tree', '1', 'oak-0:1.0-1.noarch') },
      { type: 'updateinfo', path: 'repodata/updateinfo.xml', content: updateinfo(advisory('A', 'oak')) },
    ]
    const files = rpmFiles([oak, elm], { records })
    await using upstream = await startUpstream({ files })
    await using site = await openSite({ repositories: [{ id: 'some', type: 'rpm', feed: upstream.url }] })

    await site.sync('some')

    const counts = Object.keys(files).map((path) => [path, upstream.requestsFor(path).length])
    expect(Object.fromEntries(counts)).toEqual(
      Object.fromEntries(Object.keys(files).map((path) => [path, 1])),
    )
  })
})
