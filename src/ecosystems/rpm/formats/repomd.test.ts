import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseRepomd, type Repomd, type RepomdRecord, serializeRepomd } from './repomd.ts'

const corpus = '../shared/corpus/rpm'
const hasCorpus = existsSync(corpus)

const sha256 = 'ab'.repeat(32)
const checksum = `<checksum type="sha256">${sha256}</checksum>`
const location = '<location href="repodata/primary.xml.gz"/>'

function parse(data: string, before = ''): Repomd {
  return parseRepomd(
    Buffer.from(`<repomd xmlns="http://linux.duke.edu/metadata/repo">${before}${data}</repomd>`),
  )
}

function parseData(content: string): RepomdRecord | undefined {
  return parse(`<data type="primary">${content}</data>`).records[0]
}

describe.skipIf(!hasCorpus)('over the corpus (skipped: no corpus)', () => {
  const paths = globSync(`${corpus}/**/repomd.xml`)
    .filter((path) => readFileSync(path).length > 0)
    .toSorted()

  it.each(paths)('reads %s and writes what reads the same', (path) => {
    const repomd = parseRepomd(readFileSync(path))

    const again = parseRepomd(Buffer.from(serializeRepomd(repomd)))

    expect({ ...again, records: again.records.map(({ type }) => type).toSorted() }).toEqual({
      ...repomd,
      records: repomd.records.map(({ type }) => type).toSorted(),
    })
    for (const record of repomd.records) expect(again.records).toContainEqual(record)
    expect(readFileSync(path, 'latin1').split(/<data[\s>]/).length - 1).toBe(repomd.records.length)
  })

  it('writes createrepo_c’s own bytes', () => {
    const bytes = readFileSync(`${corpus}/createrepo-c-testdata/repo_04/repodata/repomd.xml`)
    const repomd = parseRepomd(bytes)

    const records = repomd.records.filter(({ type }) => type !== 'filelists-ext')
    const expected = bytes.toString().replace(/ {2}<data type="filelists-ext">[\s\S]*?<\/data>\n/, '')

    expect(serializeRepomd({ ...repomd, records })).toBe(expected)
  })

  it('refuses a record without a type', () => {
    const bytes = readFileSync(`${corpus}/createrepo-c-testdata/modified_repo_files/missing_type-repomd.xml`)

    expect(() => parseRepomd(bytes)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })

  it('reads times with fractions, as old createrepo wrote them', () => {
    const bytes = readFileSync(`${corpus}/librepo-testdata/static/02/repodata/repomd.xml`)

    expect(parseRepomd(bytes).records.map(({ timestamp }) => timestamp)).toContain(1_355_315_696.84)
  })
})

describe('parseRepomd', () => {
  it('reads every field of a record', () => {
    const record = parseData(
      `<checksum type="sha">${'A'.repeat(40)}</checksum><open-checksum type="SHA256"> ${sha256} </open-checksum>
       <header-checksum type="sha256">${sha256}</header-checksum>
       <location xml:base="http://a.example/x/" href="repodata/a&amp;b.xml.zck"/>
       <zck-location href="repodata/other.zck"/><timestamp>12.5</timestamp><zck-timestamp>9</zck-timestamp>
       <size>3000000000</size><open-size>4000000000</open-size><header-size>100</header-size>
       <database_version>10</database_version>`,
    )

    expect(record).toEqual({
      type: 'primary',
      checksum: { algorithm: 'sha1', hex: 'a'.repeat(40) },
      openChecksum: { algorithm: 'sha256', hex: sha256 },
      headerChecksum: { algorithm: 'sha256', hex: sha256 },
      href: 'repodata/a&b.xml.zck',
      xmlBase: 'http://a.example/x/',
      timestamp: 12.5,
      size: 3_000_000_000,
      openSize: 4_000_000_000,
      headerSize: 100,
      databaseVersion: 10,
    })
  })

  it('leaves out what is absent or no number', () => {
    expect(
      parseData(
        `${checksum}${location}<open-checksum type="sha256"/><size>-1</size><timestamp>x</timestamp>`,
      ),
    ).toMatchObject({
      openChecksum: null,
      size: null,
      openSize: null,
      timestamp: null,
      xmlBase: null,
      databaseVersion: null,
    })
  })

  it('reads revision, tags and contenthash, and writes them again', () => {
    const repomd = parse(
      '',
      '<revision> r&amp;1 </revision><contenthash type="sha256">ff</contenthash><tags><repo>obs</repo><content>binary-i386</content><distro cpeid="cpe:/o:f">F &lt;1</distro><distro>G</distro></tags>',
    )

    expect(repomd).toEqual({
      revision: 'r&1',
      contentHash: { type: 'sha256', value: 'ff' },
      tags: {
        repo: ['obs'],
        content: ['binary-i386'],
        distro: [
          { cpeid: 'cpe:/o:f', name: 'F <1' },
          { cpeid: null, name: 'G' },
        ],
      },
      records: [],
    })
    expect(parseRepomd(Buffer.from(serializeRepomd(repomd)))).toEqual(repomd)
  })

  it('keeps records of one type in order, and sorts types', () => {
    const data = ['zeta', 'group_gz', 'group', 'other', 'group', 'primary']
      .map((type, i) => `<data type="${type}">${checksum}<location href="repodata/${i}"/></data>`)
      .join('')

    const repomd = parse(data)
    const written = parseRepomd(Buffer.from(serializeRepomd(repomd)))

    expect(repomd.records.map(({ href }) => href.slice(-1))).toEqual(['0', '1', '2', '3', '4', '5'])
    expect(written.records.map(({ href }) => href.slice(-1))).toEqual(['5', '3', '2', '4', '1', '0'])
  })

  it.each([
    ['no checksum', location, 'CHECKSUM_MISSING'],
    ['an empty checksum', `<checksum type="sha256"></checksum>${location}`, 'CHECKSUM_MISSING'],
    ['no location', checksum, 'UPSTREAM_INVALID'],
    ['an empty location', `${checksum}<location/>`, 'UPSTREAM_INVALID'],
    ['two locations', `${checksum}${location}${location}`, 'UPSTREAM_INVALID'],
    ['two checksums', `${checksum}${checksum}${location}`, 'UPSTREAM_INVALID'],
    ['an unknown algorithm', `<checksum type="crc32">ffffffff</checksum>${location}`, 'UPSTREAM_INVALID'],
    [
      'an inherited name as algorithm',
      `<checksum type="constructor">ff</checksum>${location}`,
      'UPSTREAM_INVALID',
    ],
    ['md5', `<checksum type="md5">${'a'.repeat(32)}</checksum>${location}`, 'UPSTREAM_INVALID'],
    ['digits that do not fit', `<checksum type="sha256">abcd</checksum>${location}`, 'UPSTREAM_INVALID'],
    [
      'a bad open-checksum',
      `${checksum}<open-checksum type="x">ab</open-checksum>${location}`,
      'UPSTREAM_INVALID',
    ],
  ])('refuses a record with %s, by name', (_, content, code) => {
    expect(() => parseData(content)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining('"primary"') }),
    )
  })

  it.each([
    '',
    '<html></html>',
    '<repomd>',
    '<repomd/><repomd/>',
    '<repomd>&x;</repomd>',
    '<?xml version="1.1"?><repomd><revision>&#1;</revision></repomd>',
    '\u00ff',
  ])('refuses %j', (text) => {
    expect(() => parseRepomd(Buffer.from(text, 'latin1'))).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_INVALID' }),
    )
  })
})
