import { describe, expect, it } from 'vitest'
import { parseStanza } from './stanza.ts'

function parse(text: string) {
  return parseStanza(Buffer.from(text, 'latin1'))
}

describe('parseStanza', () => {
  it('gives the fields as written, in file order', () => {
    expect(parse('Package: nginx\nVERSION:1.0 \nX-Empty:\nSize :\t12\r\n').fields).toEqual([
      { name: 'Package', value: 'nginx' },
      { name: 'VERSION', value: '1.0' },
      { name: 'X-Empty', value: '' },
      { name: 'Size', value: '12' },
    ])
  })

  it('finds a field in any case, and no other', () => {
    const stanza = parse('Package: nginx\nVersion: 1\n')

    expect(stanza.get('VERSION')).toBe('1')
    expect(stanza.get('Versio')).toBeNull()
    expect(stanza.get('Versions')).toBeNull()
  })

  it('takes the last of several, as apt does', () => {
    const stanza = parse('Version: 1\nSize: 1\nversion: 2\n')

    expect(stanza.get('Version')).toBe('2')
    expect(stanza.fields).toHaveLength(3)
  })

  it.each([
    ['Description', 'summary\n  verbatim \n .\n . x\n', 'summary\n verbatim\n\n. x'],
    ['list below the name', '\n a 1\n\tb 2\n', 'a 1\nb 2'],
    ['CRLF', 'a\r\n b\r\n', 'a\nb'],
    ['blanks at the end', 'a\n b\n \t\n', 'a\nb'],
    ['blanks between', 'a\n \t\n b\n', 'a\n\nb'],
    ['colons', 'a: b\n c: d\n', 'a: b\nc: d'],
    ['no line break', 'a\n b', 'a\nb'],
    ['characters that are line breaks elsewhere', 'a\x0bb\x85\x00\x1c\n', 'a\x0bb\ufffd\x00\x1c'],
  ])('joins the lines of a value: %s', (_, value, expected) => {
    expect(parse(`A: 1\nValue: ${value}`).get('value')).toBe(expected)
    expect(parse(`Value: ${value.replace(/\n?$/, '\n')}B: 1\n`).get('value')).toBe(expected)
  })

  it('reads UTF-8, with U+FFFD for what is none', () => {
    const stanza = parseStanza(
      Buffer.concat([Buffer.from('Maintainer: Jérôme 🐧 '), Buffer.from([0xe9, 0x0a])]),
    )

    expect(stanza.get('Maintainer')).toBe('Jérôme 🐧 \ufffd')
  })

  it('knows no comments, as apt does not', () => {
    expect(parse('# a: b\nA: 1\n').fields).toEqual([
      { name: '# a', value: 'b' },
      { name: 'A', value: '1' },
    ])
  })

  it('passes over lines before the first field', () => {
    expect(parse(' x: y\n \nA: 1\n').fields).toEqual([{ name: 'A', value: '1' }])
    expect(parse(' x: y').fields).toEqual([])
    expect(parse('').fields).toEqual([])
  })

  it('sees what stands behind a carriage return, as apt does', () => {
    expect(parse('A: 1\n\rB: 2\n\r\r c\n').fields).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '2\nc' },
    ])
  })

  it.each(['# comment\nPackage: a\n', 'A: 1\nno field\n', '<html>\n<a href="http://x">\n', 'A: 1\nB'])(
    'refuses a line that is no field: %j',
    (text) => expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'UPSTREAM_INVALID' })),
  )
})
