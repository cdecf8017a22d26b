import { existsSync, globSync, readFileSync } from 'node:fs'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { scanPackages } from './package-scanner.ts'
import { isPlainPackage } from './plain-package.ts'
import { parsePrimaryPackage } from './primary.ts'
import { type RepodataDocument, repodataFooter, repodataHeader } from './repodata-document.ts'
import { StrictPackageReader } from './strict-package-reader.ts'

const corpus = '../shared/corpus/rpm'
const hasCorpus = existsSync(corpus)

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

interface Scanned {
  readonly declaredCount: number | null
  readonly packages: readonly string[]
}

async function scan(
  content: string | Uint8Array,
  document: RepodataDocument,
  { chunk = 65_536, maxPackageSize = 1 << 20 } = {},
): Promise<Scanned> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const packages: string[] = []
  let declaredCount: number | null = null
  for await (const batch of scanPackages(inChunks(bytes, chunk), document, { maxPackageSize })) {
    declaredCount = batch.declaredCount
    for (const fragment of batch.packages) {
      expect(isPlainPackage(fragment, document)).toBe(true)
      packages.push(fragment.toString())
    }
  }
  return { declaredCount, packages }
}

function scanStrictly(bytes: Uint8Array, document: RepodataDocument): Scanned {
  const reader = new StrictPackageReader(document, 1 << 20, null)
  const packages = [...reader.write(bytes), ...reader.end()].map(String)
  return { declaredCount: reader.declaredCount, packages }
}

async function outcome(run: () => Promise<Scanned> | Scanned): Promise<Scanned | string> {
  try {
    return await run()
  } catch (error) {
    if (isChantalError(error)) return error.code
    throw error
  }
}

const parseName = (fragment: Uint8Array) =>
  /<name>(.*?)<\/name>/.exec(Buffer.from(fragment).toString())?.[1] ?? ''

function primary(...packages: readonly string[]): string {
  return repodataHeader('primary', packages.length) + packages.join('\n') + repodataFooter('primary')
}

const small = '<package type="rpm"><name>a</name><format><rpm:license>MIT</rpm:license></format></package>'

function unpacked(path: string): Buffer {
  const bytes = readFileSync(path)
  if (path.endsWith('.gz')) return gunzipSync(bytes)
  return path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

function documentOf(path: string): RepodataDocument {
  if (/filelists-ext/.test(path)) return 'filelists-ext'
  if (/filelists/.test(path)) return 'filelists'
  return /primary/.test(path) ? 'primary' : 'other'
}

const documents = hasCorpus
  ? globSync(`${corpus}/**/*{primary,filelists,filelists-ext,other}.xml{,.gz,.zst}`).toSorted()
  : []

describe.skipIf(!hasCorpus)('over the corpus (skipped: no corpus)', () => {
  it('finds documents of every kind', () => {
    expect(new Set(documents.map(documentOf))).toEqual(
      new Set(['primary', 'filelists', 'filelists-ext', 'other']),
    )
    expect(documents.length).toBeGreaterThan(100)
  })

  it.each(documents)('gives the same as the strict reader: %s', async (path) => {
    const bytes = unpacked(path)
    const document = documentOf(path)

    const quick = await outcome(() => scan(bytes, document))
    const strict = await outcome(() => scanStrictly(bytes, document))

    if (typeof quick === 'string' || typeof strict === 'string') {
      expect(quick).toBe(strict)
      return
    }
    const again = Buffer.from(
      repodataHeader(document, quick.packages.length) + quick.packages.join('\n') + repodataFooter(document),
    )
    expect(scanStrictly(again, document).packages).toEqual(strict.packages)
    expect(quick.declaredCount).toBe(strict.declaredCount)
    expect(quick.packages.length).toBe(strict.packages.length)
  })

  it('keeps what createrepo_c wrote byte for byte, on either way', () => {
    const [path = ''] = globSync(`${corpus}/derived-zoo-sha1-simple/repodata/primary.xml.gz`)
    const bytes = unpacked(path)

    const { packages } = scanStrictly(bytes, 'primary')

    expect(packages.length).toBe(35)
    for (const fragment of packages) expect(bytes.includes(fragment)).toBe(true)
  })

  it.each([
    ['unknown_element_00-primary.xml', 2],
    ['unknown_element_01-primary.xml', 1],
    ['unknown_element_02-primary.xml', 2],
    ['multiple_warnings_00-primary.xml', 2],
    ['multiple_warnings_00-other.xml', 2],
    ['long_primary.xml', 2],
  ])('reads %s as createrepo_c does: %i packages', async (name, count) => {
    const path = `${corpus}/createrepo-c-testdata/modified_repo_files/${name}`

    const { packages } = await scan(unpacked(path), documentOf(path))

    expect(packages.length).toBe(count)
    for (const fragment of packages) expect(fragment.split(/<package[\s>]/).length).toBe(2)
  })
})

describe('scanPackages', () => {
  it('gives fragments verbatim, whatever the chunks', async () => {
    const text = primary(
      small,
      `${small.replace('type', '\n  type')}`,
      small.replace('>a<', '>&#233;ä€😀]]<'),
    )

    for (const chunk of [1, 2, 3, 7, 64, 1000]) {
      const { declaredCount, packages } = await scan(text, 'primary', { chunk })
      expect(declaredCount).toBe(3)
      expect(packages.join('\n')).toBe(
        text.slice(repodataHeader('primary', 3).length, -repodataFooter('primary').length),
      )
    }
  })

  it('gives one empty batch for a repository without packages', async () => {
    const batches = []
    for await (const batch of scanPackages(inChunks(Buffer.from(primary()), 10), 'primary'))
      batches.push(batch)

    expect(batches).toEqual([{ declaredCount: 0, packages: [], indexes: [] }])
  })

  it.each([
    ['plain', small.replace('>a<', '>a7<')],
    ['read by the strict reader from there on', small.replace('>a<', '><!-- odd -->a7<')],
  ])('passes over what is not asked for, in a document that is %s', async (_, seventh) => {
    const many = Array.from({ length: 1000 }, (_, i) => small.replace('>a<', `>a${i}<`))
    many[7] = seventh
    const wanted = new Set([0, 7, 8, 999])
    const tags = new Set<string>()
    const skips = (index: number, startTag: string) => {
      tags.add(startTag)
      return !wanted.has(index)
    }
    const found: string[] = []
    const indexes: number[] = []

    for await (const batch of scanPackages(inChunks(Buffer.from(primary(...many)), 100), 'primary', {
      skips,
    })) {
      found.push(...batch.packages.map((fragment) => parseName(fragment)))
      indexes.push(...batch.indexes)
    }

    expect(indexes).toEqual([0, 7, 8, 999])
    expect(found).toEqual(['a0', 'a7', 'a8', 'a999'])
    expect([...tags]).toEqual(['<package type="rpm">'])
  })

  it('refuses a document that ends within a package that is passed over', async () => {
    const cut = Buffer.from(primary(small, small).slice(0, -60))
    const read = async () => {
      for await (const _ of scanPackages(inChunks(cut, 100), 'primary', { skips: () => true }));
    }

    await expect(read()).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it('batches many packages, and keeps their order when the strict reader takes over', async () => {
    const many = Array.from({ length: 20_000 }, (_, i) => small.replace('>a<', `>a${i}<`))
    many[15_000] = small.replace('>a<', '><!-- odd -->a15000<')

    const { packages } = await scan(primary(...many), 'primary', { chunk: 16_384 })

    expect(packages.map((fragment) => /<name>(.*?)<\/name>/.exec(fragment)?.[1])).toEqual(
      many.map((_, i) => `a${i}`),
    )
  })

  it.each([
    ['a comment in it', small.replace('<name>', '<!-- </package> --><name>')],
    ['a comment before it', `<!-- <package><name>evil</name></package> -->${small}`],
    ['CDATA', small.replace('>a<', '><![CDATA[a]]><')],
    ['a processing instruction', small.replace('<name>', '<?x </package><package> ?><name>')],
    ['single quotes', small.replace('"rpm"', "'rpm'")],
    ['blanks in tags', small.replace('</name>', '</name >').replace('</package>', '</package\n>')],
    ['a character reference', small.replace('>a<', '>&#x61;<')],
    [
      'other prefixes',
      '<c:package xmlns:c="http://linux.duke.edu/metadata/common" xmlns:r="http://linux.duke.edu/metadata/rpm" type="rpm"><c:name>a</c:name><c:format><r:license>MIT</r:license></c:format></c:package>',
    ],
    [
      'elements of other namespaces',
      small.replace('<name>', '<x:name xmlns:x="urn:x">b<package/></x:name><name xmlns:y="urn:y" y:z="1">'),
    ],
    ['a package in a package', small.replace('<name>', '<package><name>evil</name></package><name>')],
    [
      'a stray element with a package before it',
      `<bar><package type="rpm"><name>evil</name></package></bar>${small}`,
    ],
  ])('writes a package in plain form: %s', async (_, odd) => {
    const { packages } = await scan(primary(odd), 'primary')

    expect(packages.map((fragment) => fragment.replace('&#x61;', 'a'))).toEqual([small])
  })

  it.each([
    [
      'a prefixed root',
      `<m:metadata xmlns:m="http://linux.duke.edu/metadata/common" xmlns:q="http://linux.duke.edu/metadata/rpm" packages="1"><m:package type="rpm"><m:name>a</m:name><m:format><q:license>MIT</q:license></m:format></m:package></m:metadata>`,
    ],
    ['a DOCTYPE', primary(small).replace('<metadata', '<!DOCTYPE metadata [<!ELEMENT a ANY>]><metadata')],
    ['a byte order mark', `\ufeff${primary(small)}`],
    ['carriage returns', primary(small).replaceAll('\n', '\r\n')],
    [
      'a root without namespace',
      `<metadata xmlns:rpm="http://linux.duke.edu/metadata/rpm">${small}</metadata>`,
    ],
    ['a comment at the end', `${primary(small)}<!-- end -->\n`],
  ])('reads a document with %s', async (_, text) => {
    expect((await scan(text, 'primary')).packages).toEqual([small])
  })

  it('reads other encodings into UTF-8', async () => {
    const text = primary(small.replace('>a<', '>ä<'))
    const latin1 = Buffer.from(text.replace('UTF-8', 'ISO-8859-1'), 'latin1')
    const utf16 = Buffer.from(`\ufeff${text.replace('UTF-8', 'UTF-16')}`, 'utf16le')

    for (const bytes of [latin1, utf16]) {
      expect((await scan(bytes, 'primary')).packages).toEqual([small.replace('>a<', '>ä<')])
    }
  })

  const truncated = primary(small, small)
  it.each([
    ['nothing', ''],
    ['no root end', primary(small).replace('</metadata>', '')],
    ['half a root end', truncated.slice(0, -4)],
    ['half a package', truncated.slice(0, truncated.lastIndexOf('<format>'))],
    ['another root', primary(small).replaceAll('metadata>', 'filelists>').replace('<metadata', '<filelists')],
    ['another namespace', primary(small).replace('metadata/common', 'metadata/other')],
    ['rpm: bound elsewhere', primary(small).replace('metadata/rpm', 'metadata/rpm2')],
    ['rpm: unbound', primary(small).replace(/ xmlns:rpm="[^"]*"/, '')],
    ['something behind the root', `${primary(small)}<x/>`],
    ['a second document', primary(small) + primary(small)],
    ['tags that cross', primary(small.replace('</name><format>', '<format></name>'))],
    ['a package end in an attribute', primary(small.replace('"rpm"', '"</package>"'))],
    ['an unknown entity', primary(small.replace('>a<', '>&evil;<'))],
    [
      'an entity of its own',
      primary(small.replace('>a<', '>&e;<')).replace('<metadata', '<!DOCTYPE m [<!ENTITY e "x">]><metadata'),
    ],
    ['a bare ampersand', primary(small.replace('>a<', '>a & b<'))],
    ['a forbidden character reference', primary(small.replace('>a<', '>&#0;<'))],
    ['a forbidden character', primary(small.replace('>a<', '>\u0001<'))],
    ['U+FFFF', primary(small.replace('>a<', '>\uffff<'))],
    ['a CDATA end in text', primary(small.replace('>a<', '>]]><'))],
    ['an attribute twice', primary(small.replace('type="rpm"', 'type="rpm" type="x"'))],
    ['a duplicate root attribute', primary(small).replace('packages="1"', 'packages="1" packages="1"')],
    ['a control character of XML 1.1', primary(small.replace('>a<', '>&#1;<')).replace('1.0', '1.1')],
    ['an unknown encoding', primary(small).replace('UTF-8', 'klingon')],
    ['an open comment', primary(`<!-- ${small}`)],
    ['an early root end', primary(`</metadata><metadata>${small}`)],
    ['deep nesting', primary(small.replace('>a<', `>${'<x>'.repeat(50)}${'</x>'.repeat(50)}<`))],
  ])('refuses %s', async (_, text) => {
    for (const chunk of [5, 65_536]) {
      await expect(scan(text, 'primary', { chunk })).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
    }
  })

  it('refuses bytes that are not UTF-8', async () => {
    const bytes = Buffer.from(primary(small.replace('>a<', '>é<')), 'latin1')

    await expect(scan(bytes, 'primary')).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it.each([
    ['plain', (text: string) => `${text}${'x'.repeat(2000)}`],
    ['odd', (text: string) => `${text}<!-- -->${'x'.repeat(2000)}`],
  ])('refuses a package beyond the limit: %s', async (_, grow) => {
    const text = primary(small, small.replace('>a<', `>${grow('a')}<`))
    const atEnd = { chunk: 100, maxPackageSize: 1000 }

    await expect(scan(text, 'primary', atEnd)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it('stops reading an endless package', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${repodataHeader('primary', 1)}<package type="rpm"><name>`)
      for (;;) yield Buffer.alloc(65_536, 'x')
    }

    await expect(async () => {
      for await (const batch of scanPackages(endless(), 'primary', { maxPackageSize: 1 << 20 })) void batch
    }).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it('accepts nothing that the strict parser would refuse, and both agree', async () => {
    const pieces = [
      '<package',
      ' type="rpm"',
      ' a="',
      '"',
      '>',
      '</package>',
      '<name>',
      '</name>',
      'a',
      '&amp;',
      '&',
      ';',
      '&#10;',
      '<',
      '/>',
      ' ',
      '\n',
      ']',
      ']]>',
      '<!--',
      '-->',
      '<![CDATA[',
      '<x>',
      '</x>',
      '<rpm:x>',
      '</rpm:x>',
      '=',
      "'",
      '\u0000',
      '\ufffe',
      'é',
      '<?x ',
      '?>',
      small,
      '</metadata>',
      'xmlns="',
      'xml:base="',
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...pieces), { maxLength: 14 }),
        fc.integer({ min: 1, max: 40 }),
        async (parts, chunk) => {
          const text = primary(`<package>${parts.join('')}</package>`, parts.join(''))

          const quick = await outcome(() => scan(text, 'primary', { chunk }))
          const strict = await outcome(() => scanStrictly(Buffer.from(text), 'primary'))

          if (typeof quick === 'string' || typeof strict === 'string') {
            expect(quick).toEqual(strict)
            return
          }
          const again = scanStrictly(Buffer.from(primary(...quick.packages)), 'primary')
          expect(again.packages).toEqual(strict.packages)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('hides no package from the reader of names', async () => {
    const hostile = small.replace('<name>', '<foo><name>evil</name></foo><name>')
    const whole = hostile.replace(
      '<format>',
      `<arch>noarch</arch><version epoch="1" ver="2" rel="3"/><checksum type="sha1">${'a'.repeat(40)}</checksum><location href="a.rpm"/><format>`,
    )

    const { packages } = await scan(primary(whole), 'primary')

    expect(parsePrimaryPackage(Buffer.from(packages[0] ?? '')).nevra.name).toBe('a')
  })
})
