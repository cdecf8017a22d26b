import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parseStanza } from './stanza.ts'
import { readStanzas } from './stanza-reader.ts'
import { replaceField, serializeStanza } from './stanza-writer.ts'

const refused = expect.objectContaining({ code: 'UPSTREAM_INVALID' })

/** With many of the characters that some reader takes for a line break or a blank. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['\n', '\n\n', '\r', '\r\n', '\n \n', '\n.\n', '\t', ' ', '\0', '\x0b', '\x0c', '\x1c', '\x85'],
        ...['\u00a0', '\u2028', '\u2029', '\ufeff', '\ud800', ':', '#', '.', '-', 'Package: evil', 'é🐧'],
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

const fieldName = fc
  .array(fc.constantFrom(...'abcXYZ019-_.+#'), { minLength: 1, maxLength: 8 })
  .map((characters) => `F${characters.join('')}`)

const someFields = fc.uniqueArray(fc.tuple(fieldName, hostileText), {
  selector: ([name]) => name.toLowerCase(),
  minLength: 1,
  maxLength: 6,
})

async function stanzasOf(text: string): Promise<Uint8Array[]> {
  async function* source() {
    yield Buffer.from(text)
  }
  const found: Uint8Array[] = []
  for await (const batch of readStanzas(source(), 'text')) found.push(...batch)
  return found
}

function orNull<Value>(make: () => Value): Value | null {
  try {
    return make()
  } catch (error) {
    if (isChantalError(error, 'UPSTREAM_INVALID')) return null
    throw error
  }
}

describe('serializeStanza', () => {
  it('folds further lines with a blank', () => {
    const text = serializeStanza([
      ['Package', 'a'],
      ['Description', 'summary\nlong\n\n  verbatim\n \t'],
      ['Empty', ''],
      ['SHA256', '\na 1 x\nb 2 y'],
    ])

    expect(text).toBe(
      'Package: a\nDescription: summary\n long\n .\n   verbatim\n .\nEmpty:\nSHA256:\n a 1 x\n b 2 y\n',
    )
  })

  it.each(['', 'a b', 'a:', '#a', '-a', 'é', 'a\nb', '\n', '\0'])('refuses the name %j', (name) =>
    expect(() => serializeStanza([[name, 'x']])).toThrow(refused),
  )

  it('refuses a name that is given twice', () => {
    expect(() =>
      serializeStanza([
        ['a', '1'],
        ['A', '2'],
      ]),
    ).toThrow(refused)
  })

  it.each(['\r', 'a\r\nb', '\0', '\x0b', '\x1b[2J', '\x7f', '\x85', '\u2028', '\u2029'])(
    'refuses a value with %j',
    (value) => expect(() => serializeStanza([['a', value]])).toThrow(refused),
  )

  it('gives one stanza of the same names, whatever the values', async () => {
    let written = 0
    await fc.assert(
      fc.asyncProperty(someFields, async (fields) => {
        const text = orNull(() => serializeStanza(fields))
        if (text === null) return
        written += 1
        const stanzas = await stanzasOf(`${text}\n${text}`)
        const names = fields.map(([name]) => name)
        expect(stanzas.map((bytes) => parseStanza(bytes).fields.map(({ name }) => name))).toEqual([
          names,
          names,
        ])
        // A reader that splits lines as Python or JavaScript would sees no other fields either.
        const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/)
        expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split(':')[0])).toEqual(names)
        expect(lines.slice(0, -1).every((line) => line.trim() !== '')).toBe(true)
      }),
      { numRuns: 2000 },
    )
    expect(written).toBeGreaterThan(50)
  })

  it('gives a value back that was written', () => {
    const line = fc
      .array(fc.constantFrom(...'ab.:#é -'), { minLength: 1, maxLength: 6 })
      .map((characters) => `${characters.join('')}x`)
    fc.assert(
      fc.property(line, fc.array(fc.oneof(line, fc.constant('')), { maxLength: 5 }), (first, further) => {
        const value = [first.trimStart(), ...further].join('\n')
        expect(parseStanza(Buffer.from(serializeStanza([['A', value]]))).get('A')).toBe(value)
      }),
    )
  })
})

describe('replaceField', () => {
  const replaced = (text: string, name: string, value: string | null) =>
    Buffer.from(replaceField(Buffer.from(text, 'latin1'), name, value)).toString('latin1')

  it('replaces one value and keeps every other byte', () => {
    expect(replaced('A: \xff\r\nfilename :  x\n y\nB:\t1\n \n', 'Filename', 'pool/é')).toBe(
      'A: \xff\r\nfilename: pool/\xc3\xa9\nB:\t1\n \n',
    )
  })

  it.each(['\u00a0', '\ufeff', '\u00a0x\u2003'])('keeps what looks blank in other alphabets: %j', (value) => {
    const written = replaceField(Buffer.from('A: x\n'), 'A', ` ${value}`)

    expect(parseStanza(written).get('A')).toBe(value)
  })

  it('removes a field', () => {
    expect(replaced('A: 1\nB: 2\n 3\nC: 4', 'b', null)).toBe('A: 1\nC: 4')
    expect(replaced('A: 1\n', 'B', null)).toBe('A: 1\n')
  })

  it.each([
    ['A: 1\n', 'A: 1\nB: 2\n'],
    ['A: 1', 'A: 1\nB: 2\n'],
    ['', 'B: 2\n'],
  ])('appends a field that %j has not', (text, expected) => {
    expect(replaced(text, 'B', '2')).toBe(expected)
  })

  it('leaves one of a field that is given twice', () => {
    expect(replaced('B: 1\nA: 1\nb: 2\nC: 1\n', 'B', '3')).toBe('A: 1\nb: 3\nC: 1\n')
    expect(replaced('B: 1\nA: 1\nb: 2\nC: 1\n', 'B', null)).toBe('A: 1\nC: 1\n')
  })

  it('gives the same bytes for the same value, in however many lines', () => {
    const bytes = Buffer.from('Files:\n a \n\tb\nVersion  :1\n')

    expect(replaceField(bytes, 'files', 'a\nb')).toBe(bytes)
    expect(replaceField(bytes, 'Version', '1')).toBe(bytes)
  })

  it.each(['a\nPackage: b', 'a\r', '\0', 'a\n\nb', '\u2028'])('refuses the value %j', (value) => {
    expect(() => replaced('A: 1\n', 'A', value)).toThrow(refused)
    expect(() => replaced('A: 1\n', 'B', value)).toThrow(refused)
  })

  it('refuses a name that is none', () => {
    expect(() => replaced('A: 1\n', 'B: 2\nC', null)).toThrow(refused)
  })

  it('changes no other field, whatever stands in the stanza', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), hostileText, hostileText, (before, after, value) => {
        const text = `${before}\nA: x\n${after}`.replace(/\n[\r\n]+/g, '\n').replace(/^[\r\n]+/, '')
        const bytes = Buffer.from(text)
        const others = (from: Uint8Array) =>
          parseStanza(from).fields.filter(({ name }) => name.toLowerCase() !== 'a')
        const result = orNull(() => replaceField(bytes, 'A', value))
        if (result === null) return
        expect(others(result)).toEqual(others(bytes))
        expect(parseStanza(result).get('A')).toBe(parseStanza(Buffer.from(`A: ${value}\n`)).get('A'))
      }),
    )
  })
})
