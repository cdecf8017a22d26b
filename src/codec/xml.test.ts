import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../core/bytes.ts'
import {
  childOf,
  childrenOf,
  childText,
  decodeXml,
  escapeXmlAttribute,
  escapeXmlText,
  readXmlDocument,
  readXmlRecords,
  unescapeXml,
  withoutElements,
  type XmlPart,
  type XmlRecord,
} from './xml.ts'

const read = (text: string) => readXmlDocument(Buffer.from(text))

async function* inChunks(bytes: Uint8Array, size: number): ByteSource {
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.subarray(start, start + size)
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = []
  for await (const item of items) collected.push(item)
  return collected
}

// Longer than what is read to find the encoding, so that all after it comes in small pieces.
const longComment = `<!-- ${'x'.repeat(1100)} -->`

const isRecord = (part: XmlPart): part is XmlRecord => part.kind === 'record'

const stream = (text: string, size = 7, root = 'a') =>
  collect(readXmlRecords(inChunks(Buffer.from(text), size), [root]))

describe('escaping', () => {
  it('comes back through the reader unchanged, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const speakable = text.replaceAll(
          /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu,
          '',
        )

        const root = read(`<a b="${escapeXmlAttribute(text)}">${escapeXmlText(text)}</a>`)

        expect(root.text).toBe(speakable)
        expect(root.attributes.get('b')).toBe(speakable)
        expect(unescapeXml(escapeXmlText(text))).toBe(speakable)
      }),
    )
  })

  it('replaces the five entities and character references', () => {
    expect(unescapeXml('&lt;a&gt; &amp;amp; &quot;&apos; &#65;&#x42;&#x1F600;')).toBe(
      '<a> &amp; "\' AB\u{1f600}',
    )
  })

  it.each([
    '&',
    'a & b',
    '&nbsp;',
    '&#0;',
    '&#x110000;',
    '&#xd800;',
    '&#;',
    '&#x;',
    '&#X41;',
    '&amp',
    '&constructor;',
  ])('refuses %s', (text) => {
    expect(() => unescapeXml(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })
})

describe('readXmlDocument', () => {
  it('gives names, attributes, children and text', () => {
    const root = read(
      '<?xml version="1.0"?><r:a x="1" y:z="&lt;"><b>one</b> two<!-- no --><b><![CDATA[<3>]]></b><c/></r:a>\n',
    )

    expect(root).toMatchObject({ name: 'r:a', local: 'a', text: ' two' })
    expect([...root.attributes]).toEqual([
      ['x', '1'],
      ['y:z', '<'],
    ])
    expect(root.children.map((element) => element.name)).toEqual(['b', 'b', 'c'])
    expect(childrenOf(root, 'b').map((element) => element.text)).toEqual(['one', '<3>'])
    expect(childOf(root, 'c')?.children).toEqual([])
    expect(childOf(root, 'd')).toBeNull()
    expect([childText(root, 'b'), childText(root, 'd')]).toEqual(['one', null])
  })

  it('allows a document type without declarations', () => {
    const doctype = '<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps [info]//EN" "comps.dtd">'

    expect(read(`<?xml version="1.0" encoding="UTF-8"?>\n${doctype}\n<comps/>`).name).toBe('comps')
  })

  it.each([
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<!DOCTYPE a SYSTEM "x" [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>',
    '<a>&nbsp;</a>',
  ])('refuses declared and unknown entities: %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })

  it.each([
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a x=1/>',
    '<a x="1" x="2"/>',
    '<a>\u0001</a>',
    '<a>&#0;</a>',
  ])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' }))
  })

  it('says the line and column of what is malformed', () => {
    expect(() => read('<a>\n  <b></c>\n</a>')).toThrow(/^malformed XML at line 2, column 9: /)
  })

  it.each([
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff<a>é</a>')],
    ['ISO-8859-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1')],
    ['UTF-16 little endian', Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a>é</a>', 'utf16le')],
    ['UTF-16 big endian', Buffer.from('\ufeff<a>é</a>', 'utf16le').swap16()],
  ])('reads %s', async (_, bytes) => {
    expect(readXmlDocument(bytes).text).toBe('é')
    const parts = await collect(readXmlRecords(inChunks(bytes, 1), ['a']))
    expect(parts.filter(isRecord)).toEqual([])
  })

  it('reads the characters of the encoding that is declared', () => {
    const bytes = Buffer.from('<?xml version="1.0" encoding="ISO-8859-2"?><a>\u00b3</a>', 'latin1')

    expect(readXmlDocument(bytes).text).toBe('ł')
  })

  it.each(['EBCDIC-37', 'Shift_JIS', 'ISO-2022-JP', ''])('refuses the encoding %j', (encoding) => {
    expect(() => read(`<?xml version="1.0" encoding="${encoding}"?><a/>`)).toThrow(
      `unknown encoding: "${encoding}"`,
    )
  })

  it('replaces bytes that are no UTF-8', () => {
    expect(readXmlDocument(Buffer.from('<a>Jos\xe9</a>', 'latin1')).text).toBe('Jos\ufffd')
  })

  it.each([
    ['depth', () => '<a>'.repeat(300)],
    ['nodes', () => `<a>${'<b/>'.repeat(1_000_001)}</a>`],
    ['bytes', () => `<a>${' '.repeat(33 * 2 ** 20)}</a>`],
  ])('limits %s', (_, make) => {
    expect(() => read(make())).toThrow(expect.objectContaining({ code: 'SIZE_LIMIT' }))
  })
})

describe('readXmlRecords', () => {
  const document =
    '<?xml version="1.0"?>\n' +
    longComment +
    '<updates>' +
    '\r\n<update id="1">\r\n<é>ü 😀</é></update><skip><update/></skip>\n<!-- <update> -->text<update\r\n\tid="2"/></updates>\n'

  it.each([1, 2, 3, 7, 64, 10_000])(
    'gives each child of the root with its source, in chunks of %i',
    async (size) => {
      const parts = await stream(document, size, 'updates')
      const given = parts.filter(isRecord).filter(({ element }) => element.name === 'update')

      expect(given.map(({ element }) => element.attributes.get('id'))).toEqual(['1', '2'])
      expect(given.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([
        '<update id="1">\r\n<é>ü 😀</é></update>',
        '<update\r\n\tid="2"/>',
      ])
      expect(given[0] && childText(given[0].element, 'é')).toBe('ü 😀')
      expect(Buffer.concat(parts.map(({ bytes }) => bytes)).toString()).toBe(document)
    },
  )

  it('gives children of every name', async () => {
    const given = (await stream(document, 7, 'updates')).filter(isRecord)

    expect(given.map(({ element }) => element.name)).toEqual(['update', 'skip', 'update'])
  })

  it('gives what is complete before it meets the error', async () => {
    const seen: string[] = []

    const reading = (async () => {
      const source = inChunks(Buffer.from(`${longComment}<a><b/><c/></d>`), 3)
      for await (const part of readXmlRecords(source, ['a'])) if (isRecord(part)) seen.push(part.element.name)
    })()

    await expect(reading).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', details: { line: 1 } })
    expect(seen).toEqual(['b', 'c'])
  })

  it.each(['', '<a><b/>', '<a/><b/>', '<!DOCTYPE a [<!ENTITY b "c">]><a/>'])('refuses %j', async (text) => {
    await expect(stream(text)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it('refuses another root than expected', async () => {
    await expect(stream('<html><body/></html>', 9, 'updates')).rejects.toThrow(
      'expected the root element updates, got html',
    )
  })

  it.each([
    ['an element', '<a><b>'],
    ['a comment', '<a><!--'],
    ['an attribute', '<a b="'],
    ['a document type', '<!DOCTYPE a "'],
  ])('limits the size of %s', async (_, start) => {
    async function* endless(): ByteSource {
      yield Buffer.from(start)
      while (true) yield Buffer.alloc(2 ** 20, 'x')
    }

    await expect(collect(readXmlRecords(endless(), ['a']))).rejects.toMatchObject({ code: 'SIZE_LIMIT' })
  })

  it('reads a document larger than the limit of one element', async () => {
    async function* large(): ByteSource {
      yield Buffer.from('<a>')
      const element = Buffer.from(`<b>${'x'.repeat(2 ** 20)}</b>${' '.repeat(2 ** 18)}`)
      for (let count = 0; count < 24; count++) yield element
      yield Buffer.from('</a>')
    }
    let count = 0

    for await (const part of readXmlRecords(large(), ['a'])) {
      if (isRecord(part) && part.bytes.byteLength === 2 ** 20 + 7) count += 1
    }

    expect(count).toBe(24)
  })

  it.each([
    ['in a record', '<a>\n<b>\n\n</b><c>\n\n</d></a>', 6],
    ['around records', '<a>\n<b>\n\n</b>\n&no;</a>', 5],
  ])('says the line of what is malformed %s', async (_, text, line) => {
    await expect(stream(text)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', details: { line } })
  })

  it('decodes records as the document declares', async () => {
    const bytes = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a><b>é</b></a>', 'latin1')

    const [record] = (await collect(readXmlRecords(inChunks(bytes, 5), ['a']))).filter(isRecord)

    expect(record?.element.text).toBe('é')
    expect(record?.bytes).toEqual(Buffer.from('<b>é</b>', 'latin1'))
  })

  it('makes UTF-8 of UTF-16, and no longer says otherwise', async () => {
    const bytes = Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a><b>é㰀</b></a>', 'utf16le')

    const parts = await collect(readXmlRecords(inChunks(bytes, 5), ['a']))

    expect(Buffer.concat(parts.map((part) => part.bytes)).toString()).toBe(
      '<?xml version="1.0"?><a><b>é㰀</b></a>',
    )
  })
})

describe('withoutElements', () => {
  const remove = (bytes: Uint8Array, name: string) =>
    Buffer.from(withoutElements(bytes, decodeXml(bytes), childrenOf(readXmlDocument(bytes), name)))

  it('takes elements out, with their lines where they have them to themselves', () => {
    const bytes = Buffer.from('<a>\n  <b>\n</b>\r\n  <c/><b x=">"/> <b/>\n  <c/>é<b/></a>')

    expect(remove(bytes, 'b').toString()).toBe('<a>\n  <c/> \n  <c/>é</a>')
  })

  it('keeps a byte order mark, and bytes that are no characters', () => {
    const bytes = Buffer.from('\u00ef\u00bb\u00bf<a>\u00e9\u00e9<b/>\u00f0\u009f<b/>\u00e9</a>', 'latin1')

    expect(remove(bytes, 'b').toString('latin1')).toBe(
      '\u00ef\u00bb\u00bf<a>\u00e9\u00e9\u00f0\u009f\u00e9</a>',
    )
  })

  it('makes UTF-8 of UTF-16', () => {
    expect(remove(Buffer.from('\ufeff<a>㰀㸼<b/>é</a>', 'utf16le'), 'b').toString()).toBe('<a>㰀㸼é</a>')
  })
})
