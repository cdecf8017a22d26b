import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../../../core/bytes.ts'
import { isChantalError } from '../../../core/errors.ts'
import { formatNevra } from './nevra.ts'
import { type Advisory, parseAdvisoryDate, readAdvisories } from './updateinfo.ts'
import { pruneUpdateinfo } from './updateinfo-prune.ts'

const corpus = '../shared/corpus'

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

async function* inChunks(content: string | Uint8Array, size = 7): ByteSource & AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(content: string | Uint8Array, size?: number): Promise<readonly Advisory[]> {
  return collect(readAdvisories(inChunks(content, size)))
}

async function prune(
  content: string | Uint8Array,
  published: (nevra: string) => boolean,
  size?: number,
): Promise<Buffer> {
  return Buffer.concat(await collect(pruneUpdateinfo(inChunks(content, size), published)))
}

const one = (name: string, more = ''): string =>
  `        <package name="${name}" version="1.0" release="2" epoch="3" arch="x86_64"${more}/>\n`
const update = (id: string, packages: string): string =>
  `  <update type="security">\n    <id>${id}</id>\n    <pkglist>\n      <collection short="c">\n        <name>C</name>\n${packages}      </collection>\n    </pkglist>\n  </update>\n`
const updates = (...parts: string[]): string =>
  `<?xml version="1.0"?>\n<updates>\n${parts.join('')}</updates>\n`
const named =
  (...names: string[]) =>
  (nevra: string): boolean =>
    names.some((name) => nevra.startsWith(`${name}-3:`))

const refused = (code: 'UPSTREAM_INVALID' | 'SIZE_LIMIT'): unknown =>
  expect.toSatisfy((error: unknown) => isChantalError(error, code))

describe('readAdvisories', () => {
  it('reads all that an advisory says', async () => {
    const text = `<?xml version="1.0" encoding="UTF-8"?>
<updates><!-- a > comment -->
  <update from="a&amp;b@example.com" status="final" type="security" version="3">
    <id>RLSA-2021:2575</id><title>lz4 &lt;update&gt;</title><severity>Moderate</severity>
    <issued date="2021-07-22 03:13:55"/><updated date="1555429284"/>
    <rights>R</rights><release>Rocky 8</release><pushcount>2</pushcount><summary>S</summary>
    <description><![CDATA[</update> & more]]></description><solution/>
    <reboot_suggested>True</reboot_suggested>
    <references>
      <reference href="https://x/?a&amp;b" id="CVE-2021-3520" type="cve" title="t"/>
      <reference href="h" id="2222" type="cve" title="CVE-2019-12345 and more"/>
      <reference id="1954559" type="bugzilla" title="CVE-2000-0001 of another"/>
      <reference id="CVE-2021-3520" type="self"/>
    </references>
    <pkglist>
      <collection short="RL8"><name>Rocky 8</name>
        <module name="nodejs" stream="2.10" version="20180801" context="6c81f848" arch="x86_64"/>
        <package name="lz4" version="1.8.3" release="3.el8" epoch="1" arch="x86_64" src="lz4.src.rpm">
          <filename>lz4-1.8.3-3.el8.x86_64.rpm</filename>
          <sum type="sha256">${'A'.repeat(64)}</sum><sum type="sha256">bad</sum><sum type="md5">${'b'.repeat(32)}</sum>
          <reboot_suggested/><restart_suggested>False</restart_suggested><relogin_suggested>1</relogin_suggested>
        </package>
      </collection>
      <collection/>
    </pkglist>
  </update>
  <update><id>EMPTY</id></update>
</updates>`

    const [first, second, ...more] = await read(text)

    expect(more).toEqual([])
    expect(first).toEqual({
      id: 'RLSA-2021:2575',
      type: 'security',
      status: 'final',
      version: '3',
      from: 'a&b@example.com',
      title: 'lz4 <update>',
      severity: 'Moderate',
      summary: 'S',
      description: '</update> & more',
      rights: 'R',
      solution: null,
      release: 'Rocky 8',
      pushCount: '2',
      issuedAt: new Date('2021-07-22T03:13:55Z'),
      updatedAt: new Date(1555429284_000),
      rebootSuggested: true,
      references: [
        { type: 'cve', id: 'CVE-2021-3520', href: 'https://x/?a&b', title: 't' },
        { type: 'cve', id: '2222', href: 'h', title: 'CVE-2019-12345 and more' },
        { type: 'bugzilla', id: '1954559', href: null, title: 'CVE-2000-0001 of another' },
        { type: 'self', id: 'CVE-2021-3520', href: null, title: null },
      ],
      cves: ['CVE-2021-3520', 'CVE-2019-12345'],
      collections: [
        {
          short: 'RL8',
          name: 'Rocky 8',
          module: {
            name: 'nodejs',
            stream: '2.10',
            version: '20180801',
            context: '6c81f848',
            architecture: 'x86_64',
          },
          packages: [
            {
              name: 'lz4',
              epoch: '1',
              version: '1.8.3',
              release: '3.el8',
              architecture: 'x86_64',
              source: 'lz4.src.rpm',
              fileName: 'lz4-1.8.3-3.el8.x86_64.rpm',
              checksums: [
                { algorithm: 'sha256', hex: 'a'.repeat(64) },
                { algorithm: 'md5', hex: 'b'.repeat(32) },
              ],
              rebootSuggested: true,
              restartSuggested: false,
              reloginSuggested: true,
            },
          ],
        },
        { short: null, name: null, module: null, packages: [] },
      ],
    })
    expect(second).toMatchObject({ id: 'EMPTY', issuedAt: null, rebootSuggested: false, collections: [] })
  })

  it('takes epoch 0 where upstream leaves it out, and the file name where it leaves out more', async () => {
    const packages =
      '<package name="a" version="1" release="2" arch="noarch"/><package><filename>b-1-2.x86_64.rpm</filename></package>'

    const [advisory] = await read(updates(update('A', packages)))

    expect(advisory?.collections[0]?.packages.map(formatNevra)).toEqual(['a-0:1-2.noarch', 'b-0:1-2.x86_64'])
  })

  it.each([
    ['2019-03-29', '2019-03-29T00:00:00.000Z'],
    ['2019-03-29 01:02', '2019-03-29T01:02:00.000Z'],
    ['2013-01-27 16:08:05 UTC', '2013-01-27T16:08:05.000Z'],
    ['2021-08-10T21:35:58.123+00:00', '2021-08-10T21:35:58.000Z'],
    ['1555429284', '2019-04-16T15:41:24.000Z'],
  ])('reads the date %s', (text, expected) => expect(parseAdvisoryDate(text)?.toISOString()).toBe(expected))

  it.each(['15mangled2', '', '2019-13-45', '2019-03-29 25:00:00', 'yesterday'])(
    'takes %j for no date',
    (text) => expect(parseAdvisoryDate(text)).toBeNull(),
  )

  it.each([
    ['another root', '<html><update/></html>'],
    ['a record that closes its parent', '<updates><update><id>A</id></updates><update></update></updates>'],
    ['an element that is not closed', '<updates><update><id>A</update></updates>'],
    ['an end within an element', '<updates><update><id>A</id>'],
    ['an end within the root', '<updates><update/>'],
    ['a second root', '<updates/><updates/>'],
    [
      'entities of its own',
      '<!DOCTYPE updates [<!ENTITY a "b">]><updates><update><id>&a;</id></update></updates>',
    ],
    ['an entity that nobody declared', '<updates><update><id>&a;</id></update></updates>'],
    ['a control character', '<updates><update><id>\u0001</id></update></updates>'],
    ['text between records that is no text', '<updates><update/>&nope;<update/></updates>'],
    ['nothing', ''],
  ])('refuses %s', async (_what, text) => {
    await expect(read(text)).rejects.toEqual(refused('UPSTREAM_INVALID'))
    await expect(read(text, 1)).rejects.toEqual(refused('UPSTREAM_INVALID'))
  })

  it('refuses a record that never ends', async () => {
    async function* endless(): ByteSource & AsyncGenerator<Uint8Array> {
      yield Buffer.from('<updates><update><description>')
      for (;;) yield Buffer.alloc(1 << 20, 'x')
    }

    await expect(collect(readAdvisories(endless()))).rejects.toEqual(refused('SIZE_LIMIT'))
  })
})

describe('pruneUpdateinfo', () => {
  const text = updates(
    update('A', one('kept') + one('gone')),
    update('B', one('gone')),
    '  <update><id>NONE</id></update>\n',
    update('C', one('kept')),
  )

  it('removes packages that are not published, and advisories that lose all theirs', async () => {
    const pruned = await prune(text, named('kept'))

    expect(pruned.toString()).toBe(
      updates(update('A', one('kept')), '  <update><id>NONE</id></update>\n', update('C', one('kept'))),
    )
  })

  it.each([1, 7, 100_000])('gives the very bytes where all is published, read by %i bytes', async (size) => {
    const odd = Buffer.from(text.replaceAll('\n', '\r\n').replace('C</name>', '\u00e9\u20ac</name>'))

    expect(await prune(odd, () => true, size)).toEqual(odd)
  })

  it('removes collections that lose all their packages and keeps the others', async () => {
    const collection = (name: string, packages: string): string =>
      `<collection short="${name}">${packages}</collection>`
    const advisory = (...collections: string[]): string =>
      updates(`<update><id>A</id><pkglist>${collections.join('')}</pkglist></update>`)
    const [first, second, empty] = [
      collection('1', one('gone')),
      collection('2', one('kept')),
      collection('3', ''),
    ]

    const pruned = await prune(advisory(first, second, empty), named('kept'))

    expect(pruned.toString()).toBe(advisory(second, empty))
  })

  it('yields nothing where no advisory is left', async () => {
    const pruned = pruneUpdateinfo(inChunks(updates(update('A', one('gone')))), () => false)

    expect(await pruned.next()).toEqual({ done: true, value: { kept: 0, dropped: 1 } })
  })

  it('counts what it keeps and drops', async () => {
    const pruned = pruneUpdateinfo(inChunks(text), named('kept'))
    let result = await pruned.next()
    while (!result.done) result = await pruned.next()

    expect(result.value).toEqual({ kept: 3, dropped: 1 })
  })

  it('keeps a byte order mark', async () => {
    const pruned = await prune(`\uFEFF${text}`, named('kept'))

    expect(pruned.toString().startsWith('\uFEFF<?xml')).toBe(true)
    expect(await read(pruned)).toHaveLength(3)
  })

  it('keeps bytes that are not UTF-8', async () => {
    const bytes = Buffer.from(text.replaceAll('>C<', '>Pr\u00e9c\u00e9d\u00e9<'), 'latin1')

    const pruned = await prune(bytes, named('kept'))

    expect(pruned.toString('latin1')).toContain('Pr\u00e9c\u00e9d\u00e9')
    expect(await read(pruned)).toHaveLength(3)
  })

  it('is not fooled by markup in attributes, comments and character data', async () => {
    const hidden = `<!-- <package name="gone"/></update> --><![CDATA[</update>]]>`
    const tricky = update(
      'A',
      `${one('kept', ` src="a>b'/>"`)}${hidden}${one('gone', ` src='"</update>'`.replace('<', '&lt;'))}`,
    )

    const pruned = (await prune(updates(tricky), named('kept'))).toString()

    expect(pruned).toContain(hidden)
    const [advisory] = await read(pruned)
    expect(advisory?.collections[0]?.packages.map(({ name }) => name)).toEqual(['kept'])
  })
})

describe('damaged updateinfo', () => {
  const text = updates(update('A', one('kept') + one('gone')), '  <!-- > -->\n', update('B', one('gone')))
  const damage = fc.array(
    fc.record({
      at: fc.nat(text.length),
      cut: fc.nat(20),
      put: fc.constantFrom(
        '',
        '<',
        '>',
        '/',
        '"',
        "'",
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?a ',
        '?>',
        '<!DOCTYPE a',
        '[',
        ']',
        '&',
        '</update>',
        '<update>',
        '</updates>',
      ),
    }),
    { maxLength: 3 },
  )

  it('is refused, or comes out well formed: whole where all is published, and with nothing else where not', async () => {
    await fc.assert(
      fc.asyncProperty(damage, fc.integer({ min: 1, max: 200 }), async (changes, size) => {
        const damaged = changes.reduce(
          (left, { at, cut, put }) => left.slice(0, at) + put + left.slice(at + cut),
          text,
        )
        let advisories: readonly Advisory[]
        try {
          advisories = await read(damaged, size)
        } catch (error) {
          expect(error).toEqual(refused('UPSTREAM_INVALID'))
          return
        }

        const whole = await prune(damaged, () => true, size)
        const pruned = await prune(damaged, named('kept'), size)

        expect(whole.toString()).toBe(advisories.length === 0 ? '' : damaged)
        const left = pruned.length === 0 ? [] : await read(pruned)
        const names = left.flatMap(({ collections }) =>
          collections.flatMap((each) => each.packages.map((pkg) => pkg.name)),
        )
        expect(names.filter((name) => name !== 'kept')).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })
})

const corpusFiles = (): readonly string[] =>
  existsSync(corpus)
    ? ['rpm', 'errata'].flatMap((folder) =>
        readdirSync(`${corpus}/${folder}`, { recursive: true, encoding: 'utf8' })
          .filter(
            (name) => /updateinfo[^/]*\.xml(?:\.gz)?$/.test(name) && !/updateinfo_invalid|repomd/.test(name),
          )
          .map((name) => `${folder}/${name}`),
      )
    : []

describe.skipIf(!existsSync(corpus))('updateinfo corpus (../shared/corpus is there)', () => {
  it.each(corpusFiles())('reads and prunes %s', async (name) => {
    const raw = readFileSync(`${corpus}/${name}`)
    const bytes = name.endsWith('.gz') ? gunzipSync(raw) : raw
    const advisories = await read(bytes, 65_536)
    const nevras = advisories.flatMap(({ collections }) =>
      collections.flatMap((one) => one.packages.map(formatNevra)),
    )
    const half = new Set(nevras.filter((_nevra, index) => index % 2 === 0))

    const whole = await prune(bytes, () => true, 1000)
    const pruned = await prune(bytes, (nevra) => half.has(nevra), 65_536)

    expect(advisories.every(({ id }) => id !== '')).toBe(true)
    expect(whole).toEqual(advisories.length === 0 ? Buffer.alloc(0) : bytes)
    const left = pruned.length === 0 ? [] : await read(pruned)
    expect(
      left.flatMap(({ collections }) => collections.flatMap((one) => one.packages.map(formatNevra))),
    ).toEqual(nevras.filter((nevra) => half.has(nevra)))
  })
})
