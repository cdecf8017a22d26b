import { existsSync, globSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readXmlDocument } from '../../../codec/xml.ts'
import { parseRelativePath } from '../../../core/path.ts'
import { rewriteLocation } from './location-rewriter.ts'
import { formatNevra, nevraFileName } from './nevra.ts'
import { parseFilelists, parseOther, parsePackageOwner, parsePrimaryFormat } from './package-details.ts'
import { scanPackages } from './package-scanner.ts'
import { isPlainPackage } from './plain-package.ts'
import { parsePrimaryPackage } from './primary.ts'
import type { RepodataDocument } from './repodata-document.ts'

const corpus = '../shared/corpus/rpm'
const hasCorpus = existsSync(corpus)

async function fragments(path: string, document: RepodataDocument): Promise<readonly Buffer[]> {
  const file = readFileSync(path)
  const bytes = path.endsWith('.gz') ? gunzipSync(file) : file
  const packages: Buffer[] = []
  for await (const batch of scanPackages(
    (async function* () {
      yield bytes
    })(),
    document,
  )) {
    packages.push(...batch.packages)
  }
  return packages
}

const hex = 'ab'.repeat(32)
const parts = {
  name: '<name>a</name>',
  arch: '<arch>noarch</arch>',
  version: '<version epoch="1" ver="2" rel="3"/>',
  checksum: `<checksum type="sha256" pkgid="YES">${hex}</checksum>`,
  location: '<location href="a.rpm"/>',
}

function fragment(changes: Partial<typeof parts> = {}, format = ''): Buffer {
  const text = Object.values({ ...parts, ...changes }).join('\n  ')
  return Buffer.from(`<package type="rpm">${text}<format>${format}</format></package>`)
}

describe('parsePrimaryPackage', () => {
  it('reads every field, unescaped', () => {
    const text = fragment(
      {
        name: '<name>a</name><summary>R&amp;D &#228;&#x1F600; ü &lt;x&gt;</summary><description>d</description><packager>P &lt;p@example.org&gt;</packager><url>http://a.example/?a=1&amp;b</url><time file="10" build="9.75"/><size package="3000000000" installed="2" archive="1"/>',
        location: '<location xml:base="http://b.example/" href="x/a&amp;b.rpm"/>',
      },
      '<rpm:license>GPL</rpm:license><rpm:vendor/><rpm:group>G</rpm:group><rpm:buildhost>h</rpm:buildhost><rpm:sourcerpm>a-2-3.src.rpm</rpm:sourcerpm><rpm:header-range start="280" end="2057"/><rpm:provides><rpm:entry name="&gt;"/></rpm:provides>',
    )

    expect(parsePrimaryPackage(text)).toEqual({
      nevra: { name: 'a', epoch: '1', version: '2', release: '3', architecture: 'noarch' },
      checksum: { algorithm: 'sha256', hex },
      pkgid: hex,
      summary: 'R&D ä😀 ü <x>',
      packager: 'P <p@example.org>',
      url: 'http://a.example/?a=1&b',
      fileTime: 10,
      buildTime: 9,
      packageSize: 3_000_000_000,
      installedSize: 2,
      archiveSize: 1,
      href: 'x/a&b.rpm',
      xmlBase: 'http://b.example/',
      license: 'GPL',
      vendor: null,
      group: 'G',
      buildHost: 'h',
      sourceRpm: 'a-2-3.src.rpm',
      headerRange: { start: 280, end: 2057 },
    })
  })

  it('takes a missing epoch for 0, and numbers that are none for unknown', () => {
    const pkg = parsePrimaryPackage(
      fragment(
        { version: '<version ver="2" rel="3"/><size package="x"/>' },
        '<rpm:header-range start="1" end="foobar"/>',
      ),
    )

    expect(pkg.nevra.epoch).toBe('0')
    expect(pkg.packageSize).toBeNull()
    expect(pkg.headerRange).toBeNull()
  })

  it('takes no field from unknown or nested elements', () => {
    const hidden = `<x>${Object.values(parts).join('')}</x>`
    const pkg = parsePrimaryPackage(
      fragment({ name: `${hidden}<name>b</name>` }, `<name>c</name><x><rpm:license>no</rpm:license></x>`),
    )

    expect(pkg.nevra.name).toBe('b')
    expect(pkg.license).toBeNull()
  })

  it.each([
    ['no name', { name: '' }, 'UPSTREAM_INVALID', '"a.rpm"'],
    ['a long name', { name: `<name>${'ä'.repeat(128)}</name>` }, 'UPSTREAM_INVALID', 'a name of 256 bytes'],
    ['an empty name', { name: '<name/>' }, 'UPSTREAM_INVALID', '"a.rpm"'],
    ['two names', { name: '<name>a</name><name>b</name>' }, 'UPSTREAM_INVALID', '"a"'],
    ['elements in its name', { name: '<name>a<b/></name>' }, 'UPSTREAM_INVALID', 'without a name'],
    ['a line feed in its name', { name: '<name>a\nb</name>' }, 'UPSTREAM_INVALID', '"a\\nb"'],
    [
      'a line feed in its name, as a reference',
      { name: '<name>a&#10;b</name>' },
      'UPSTREAM_INVALID',
      '"a\\nb"',
    ],
    ['a folder in its name', { name: '<name>../a</name>' }, 'UPSTREAM_INVALID', '"../a"'],
    ['no arch', { arch: '' }, 'UPSTREAM_INVALID', '"a"'],
    ['no version', { version: '' }, 'UPSTREAM_INVALID', '"a"'],
    ['no release', { version: '<version ver="1"/>' }, 'UPSTREAM_INVALID', '"a"'],
    ['an odd epoch', { version: '<version epoch="-1" ver="1" rel="1"/>' }, 'UPSTREAM_INVALID', '"a"'],
    ['no location', { location: '' }, 'UPSTREAM_INVALID', '"a"'],
    ['two locations', { location: parts.location + parts.location }, 'UPSTREAM_INVALID', '"a"'],
    ['no checksum', { checksum: '' }, 'CHECKSUM_MISSING', '"a"'],
    ['an empty checksum', { checksum: '<checksum type="sha256"/>' }, 'CHECKSUM_MISSING', '"a"'],
    ['two checksums', { checksum: parts.checksum + parts.checksum }, 'UPSTREAM_INVALID', '"a"'],
    ['an unknown checksum', { checksum: '<checksum type="x">ab</checksum>' }, 'UPSTREAM_INVALID', '"a"'],
    [
      'an md5 checksum',
      { checksum: `<checksum type="md5">${'a'.repeat(32)}</checksum>` },
      'UPSTREAM_INVALID',
      '"a"',
    ],
  ])('refuses a package with %s, by name', (_, changes, code, name) => {
    expect(() => parsePrimaryPackage(fragment(changes))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(name) }),
    )
  })
})

describe.skipIf(!hasCorpus)('over the corpus (skipped: no corpus)', () => {
  const primaries = hasCorpus
    ? globSync(
        `${corpus}/{derived-*,ruapm-*,eupnea,rmt-dummy-repo/*,createrepo-c-testdata/repo_*}/repodata/*primary.xml.gz`,
      ).toSorted()
    : []

  it.each(primaries)('agrees with a full XML parser: %s', async (path) => {
    for (const bytes of await fragments(path, 'primary')) {
      const quick = parsePrimaryPackage(bytes)

      const full = readXmlDocument(
        Buffer.concat([Buffer.from('<r xmlns:rpm="urn:rpm">'), bytes, Buffer.from('</r>')]),
        'package',
      ).children[0]
      const texts = new Map(full?.children.map((child) => [child.name, child]))
      expect(quick.nevra.name).toBe(texts.get('name')?.text)
      expect(quick.nevra.architecture).toBe(texts.get('arch')?.text)
      expect(quick.nevra.version).toBe(texts.get('version')?.attributes.get('ver'))
      expect(quick.checksum.hex).toBe(texts.get('checksum')?.text)
      expect(quick.href).toBe(texts.get('location')?.attributes.get('href'))
      expect(quick.xmlBase ?? undefined).toBe(texts.get('location')?.attributes.get('xml:base'))
      expect(quick.summary ?? '').toBe(texts.get('summary')?.text)
      expect(String(quick.buildTime)).toBe(texts.get('time')?.attributes.get('build'))
      expect(quick.license).toBe(
        texts.get('format')?.children.find(({ name }) => name === 'rpm:license')?.text,
      )
    }
  })

  it('finds the same packages in primary, filelists and other', async () => {
    const folder = `${corpus}/derived-zoo-sha1-simple/repodata`
    const packages = (await fragments(`${folder}/primary.xml.gz`, 'primary')).map(parsePrimaryPackage)
    const files = (await fragments(`${folder}/filelists.xml.gz`, 'filelists')).map((bytes) =>
      parseFilelists(bytes),
    )
    const other = (await fragments(`${folder}/other.xml.gz`, 'other')).map(parseOther)

    const keys = packages.map(({ pkgid, nevra }) => `${pkgid} ${formatNevra(nevra)}`)
    for (const owners of [files, other]) {
      expect(
        owners.map(({ pkgid, nevra }) => `${pkgid} ${nevra === null ? '' : formatNevra(nevra)}`),
      ).toEqual(keys)
    }
    expect(files.some((entry) => entry.files.length > 0)).toBe(true)
    expect(packages.every(({ nevra, href }) => href.endsWith(nevraFileName(nevra)))).toBe(true)
  })

  it('reads dependencies and files of primary', async () => {
    const path = `${corpus}/createrepo-c-testdata/modified_repo_files/repo_01_ampersand-primary.xml`
    const [bytes = Buffer.alloc(0)] = await fragments(path, 'primary')

    const format = parsePrimaryFormat(bytes)

    expect(format.description).toBe('This& package has provides, requires, obsoletes, conflicts options.')
    expect(format.provides[0]).toEqual({
      name: 'not_so_super_kernel',
      flags: 'LT',
      epoch: '0',
      version: '5.8.0',
      release: null,
      isPre: false,
    })
    expect(format.provides.map(({ name }) => name)).toContain('super_&&kernel(x86-64)')
    expect(format.requires.map(({ name, isPre }) => [name, isPre])).toEqual([
      ['bzip2', true],
      ['expat', true],
      ['glib', false],
      ['zlib', false],
    ])
    expect(format.conflicts.length).toBe(3)
    expect(format.obsoletes.length).toBe(2)
    expect(format.supplements).toEqual([])
    expect(format.files[0]).toEqual({ path: '/usr/bin&/super_kernel', type: 'file' })
  })

  it('reads changelogs and their owner', async () => {
    const path = `${corpus}/createrepo-c-testdata/modified_repo_files/repo_01_ampersand-other.xml`
    const [bytes = Buffer.alloc(0)] = await fragments(path, 'other')

    const { nevra, changelogs } = parseOther(bytes)

    expect(nevra?.name).toBe('super&_kernel')
    expect(changelogs).toEqual([
      {
        author: 'Tomas Mlcoch <tml&coch@redhat.com> - 6.0.1-1',
        date: 1_334_664_000,
        text: '- Firs&t release',
      },
      {
        author: 'Tomas Mlcoch <tmlcoch@redhat.com> - 6.0.1-2',
        date: 1_334_664_001,
        text: '- Second releas&e',
      },
    ])
  })

  it.each(['error_00-filelists', 'no_pkgid-filelists', 'error_00-other'])(
    'refuses %s: no pkgid',
    async (name) => {
      const path = `${corpus}/createrepo-c-testdata/modified_repo_files/${name}.xml`
      const packages = await fragments(path, name.endsWith('other') ? 'other' : 'filelists')

      expect(() => packages.map(parsePackageOwner)).toThrow(
        expect.objectContaining({ code: 'UPSTREAM_INVALID' }),
      )
    },
  )

  it('refuses error_00-primary: no checksum', async () => {
    const path = `${corpus}/createrepo-c-testdata/modified_repo_files/error_00-primary.xml`
    const [bytes = Buffer.alloc(0)] = await fragments(path, 'primary')

    expect(() => parsePrimaryPackage(bytes)).toThrow(expect.objectContaining({ code: 'CHECKSUM_MISSING' }))
  })

  it('reads an owner whose architecture is missing by its pkgid alone', async () => {
    const path = `${corpus}/createrepo-c-testdata/modified_repo_files/multiple_warnings_00-filelists.xml`

    const [first] = (await fragments(path, 'filelists')).map(parsePackageOwner)

    expect(first).toEqual({
      pkgid: '90f61e546938a11449b710160ad294618a5bd3062e46f8cf851fd0088af184b7',
      nevra: null,
    })
  })
})

describe('parsePackageOwner', () => {
  const version = '<version epoch="1" ver="2" rel="3"/>'
  const nevra = { name: 'a&b', epoch: '1', version: '2', release: '3', architecture: 'noarch' }

  it.each([
    ['the version first', version, nevra],
    ['a missing epoch', version.replace('epoch="1" ', ''), { ...nevra, epoch: '0' }],
    ['the version behind many files', '<file>/x</file>'.repeat(1000) + version, nevra],
    ['no version', '<file>/x</file>'.repeat(1000), null],
    ['a version in something else', `<x>${version}</x>`, null],
  ])('reads %s', (_, content, expected) => {
    const bytes = Buffer.from(`<package pkgid="ABCD" name="a&amp;b" arch="noarch">${content}</package>`)

    expect(parsePackageOwner(bytes)).toEqual({ pkgid: 'abcd', nevra: expected })
  })
})

describe('rewriteLocation', () => {
  it.each([
    ['<location href="a.rpm"/>', '<location href="P/a&amp;b.rpm"/>'],
    ['<location xml:base="http://x.example/" href="a.rpm"/>', '<location href="P/a&amp;b.rpm"/>'],
    ['<location\n href="a.rpm"\n xml:base="x"  />', '<location\n href="P/a&amp;b.rpm"  />'],
    [
      '<location a=" href=" href="a.rpm"></location>',
      '<location a=" href=" href="P/a&amp;b.rpm"></location>',
    ],
    ['<location href="$&amp;"/>', '<location href="P/a&amp;b.rpm"/>'],
    [
      '<x><location href="no"/></x><location href="a"/>',
      '<x><location href="no"/></x><location href="P/a&amp;b.rpm"/>',
    ],
  ])('turns %j into %j and leaves the rest', (before, after) => {
    const summary = '<summary>ü location href="x"</summary>'

    const rewritten = rewriteLocation(
      fragment({ location: summary + before }),
      parseRelativePath('P/a&b.rpm'),
    )

    expect(rewritten.toString()).toBe(fragment({ location: summary + after }).toString())
    expect(isPlainPackage(rewritten, 'primary')).toBe(true)
    expect(parsePrimaryPackage(rewritten)).toMatchObject({ href: 'P/a&b.rpm', xmlBase: null })
  })

  it.each(['', '<location/>', '<location xhref="a"/>', '<location href="a"/><location href="b"/>'])(
    'refuses %j',
    (location) => {
      expect(() => rewriteLocation(fragment({ location }), parseRelativePath('a'))).toThrow(
        expect.objectContaining({ code: 'UPSTREAM_INVALID' }),
      )
    },
  )
})
