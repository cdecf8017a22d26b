import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../core/bytes.ts'
import {
  child,
  childElements,
  escapeXmlAttribute,
  escapeXmlText,
  readXmlDocument,
  streamXmlElements,
  textOf,
  unescapeXml,
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

const stream = (text: string, size = 7, options = {}) =>
  collect(streamXmlElements(inChunks(Buffer.from(text), size), options))

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
    expect(childElements(root).map((element) => element.name)).toEqual(['b', 'b', 'c'])
    expect(childElements(root, 'b').map((element) => element.text)).toEqual(['one', '<3>'])
    expect(child(root, 'c')?.children).toEqual([])
    expect(child(root, 'd')).toBeNull()
    expect([textOf(root, 'b'), textOf(root, 'd')]).toEqual(['one', null])
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
    expect(await collect(streamXmlElements(inChunks(bytes, 1)))).toEqual([])
  })

  it('refuses an unknown encoding', () => {
    expect(() => read('<?xml version="1.0" encoding="EBCDIC-37"?><a/>')).toThrow(
      /unknown encoding: "EBCDIC-37"/,
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

describe('streamXmlElements', () => {
  const document =
    '<?xml version="1.0"?>\n' +
    longComment +
    '<updates>' +
    '\r\n<update id="1">\r\n<é>ü 😀</é></update><skip><update/></skip>\n<!-- <update> -->text<update\r\n\tid="2"/></updates>\n'

  it.each([1, 2, 3, 7, 64, 10_000])(
    'gives each child of the root with its source, in chunks of %i',
    async (size) => {
      const given = await stream(document, size, { root: 'updates', names: ['update'] })

      expect(given.map(({ element }) => element.attributes.get('id'))).toEqual(['1', '2'])
      expect(given.map(({ source }) => source)).toEqual([
        '<update id="1">\r\n<é>ü 😀</é></update>',
        '<update\r\n\tid="2"/>',
      ])
      expect(given[0] && textOf(given[0].element, 'é')).toBe('ü 😀')
    },
  )

  it('gives all children without names', async () => {
    expect((await stream(document)).map(({ element }) => element.name)).toEqual(['update', 'skip', 'update'])
  })

  it('gives what is complete before it meets the error', async () => {
    const seen: string[] = []

    const reading = (async () => {
      const source = inChunks(Buffer.from(`${longComment}<a><b/><c/></d>`), 3)
      for await (const { element } of streamXmlElements(source)) seen.push(element.name)
    })()

    await expect(reading).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', details: { line: 1 } })
    expect(seen).toEqual(['b', 'c'])
  })

  it.each(['', '<a><b/>', '<a/><b/>', '<!DOCTYPE a [<!ENTITY b "c">]><a/>'])('refuses %j', async (text) => {
    await expect(stream(text)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' })
  })

  it('refuses another root than expected', async () => {
    await expect(stream('<html><body/></html>', 9, { root: 'updates' })).rejects.toThrow(
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

    await expect(collect(streamXmlElements(endless()))).rejects.toMatchObject({ code: 'SIZE_LIMIT' })
  })

  it('reads a document larger than the limit of one element', async () => {
    async function* large(): ByteSource {
      yield Buffer.from('<a>')
      const element = Buffer.from(`<b>${'x'.repeat(2 ** 20)}</b>${' '.repeat(2 ** 18)}`)
      for (let count = 0; count < 24; count++) yield element
      yield Buffer.from('</a>')
    }
    let count = 0

    for await (const { source } of streamXmlElements(large())) count += source.length === 2 ** 20 + 7 ? 1 : 0

    expect(count).toBe(24)
  })
})
