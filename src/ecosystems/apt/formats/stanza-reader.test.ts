import { describe, expect, it } from 'vitest'
import { ChantalError } from '../../../core/errors.ts'
import { isOneStanza, readStanzas } from './stanza-reader.ts'

async function* chunksOf(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function split(text: string, chunkSize = 1024): Promise<string[]> {
  const stanzas: string[] = []
  for await (const batch of readStanzas(chunksOf(Buffer.from(text, 'latin1'), chunkSize), 'Packages')) {
    stanzas.push(...batch.map((bytes) => Buffer.from(bytes).toString('latin1')))
  }
  return stanzas
}

describe('readStanzas', () => {
  it.each([
    ['nothing', '', []],
    ['line breaks only', '\n\r\n\n', []],
    ['one stanza', 'A: 1\n', ['A: 1\n']],
    ['no line break at the end', 'A: 1\n\nB: 2', ['A: 1\n', 'B: 2']],
    ['several empty lines', '\n\nA: 1\n\n\n\nB: 2\n\n\n', ['A: 1\n', 'B: 2\n']],
    ['CRLF', 'A: 1\r\n b\r\n\r\nB: 2\r\n\r\n', ['A: 1\r\n b\r\n', 'B: 2\r\n']],
    ['CRLF in the empty line only', 'A: 1\n\r\r\nB: 2\n', ['A: 1\n', 'B: 2\n']],
    ['a line of blanks, which apt adds to the field', 'A: 1\n \t\nB: 2\n', ['A: 1\n \t\nB: 2\n']],
    ['a paragraph of blanks', 'A: 1\n\n \t\n\nB: 2\n\n \n', ['A: 1\n', 'B: 2\n']],
    ['a comment', '# x\nA: 1\n#y\n\n# z\n', ['# x\nA: 1\n#y\n', '# z\n']],
    ['bytes of no encoding', 'A: \xff\xfe\x00\n\n\xe9\n', ['A: \xff\xfe\x00\n', '\xe9\n']],
  ])('splits %s, however it arrives', async (_, text, expected) => {
    for (const chunkSize of [1, 2, 3, 1024]) expect(await split(text, chunkSize)).toEqual(expected)
  })

  it('splits across windows', async () => {
    const stanzas = Array.from({ length: 3000 }, (_, at) => `Package: p${at}\nTag: ${'t'.repeat(at % 700)}\n`)

    expect(await split(`${stanzas.join('\n')}`, 10_007)).toEqual(stanzas)
    expect(await split(`${stanzas.join('\r\n')}`, 10_007)).toEqual(stanzas)
  })

  it('reads a stanza of several windows', async () => {
    const large = `A: ${'x'.repeat(3_000_000)}\n`

    expect(await split(`${large}\nB: 2\n`, 65_536)).toEqual([large, 'B: 2\n'])
  })

  it.each(['\n', '\n\nA: 1\n'])('refuses a stanza of more than 16 MiB, and names the index', async (end) => {
    const endless = `A: ${' x\n'.repeat(6_000_000)}${end}`

    const error = await split(endless, 1 << 20).catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(ChantalError)
    expect(error).toMatchObject({ code: 'UPSTREAM_INVALID', message: expect.stringContaining('Packages: ') })
  })

  it('stops reading where a stanza has no end', async () => {
    let given = 0
    async function* endless() {
      for (;;) {
        given += 1 << 20
        yield Buffer.alloc(1 << 20, 'x')
      }
    }

    await expect(readStanzas(endless(), 'Packages').next()).rejects.toThrow('16777216')

    expect(given).toBeLessThan(40 << 20)
  })
})

describe('one stanza', () => {
  it.each(['Package: a\n', 'Package: a', 'Package: a\r\nB:\n c\n  \n d\n', 'Package: a\nPackage: a\n'])(
    'may be %j',
    (text) => {
      expect(isOneStanza(Buffer.from(text))).toBe(true)
    },
  )

  it.each([
    '',
    '\n',
    ' \n',
    '\nPackage: a\n',
    'Package: a\n\nPackage: b\n',
    'Package: a\n\r\nPackage: b\n',
    'Package: a\n\n',
    'Package: a\nb\n',
    ' Package: a\n',
  ])('is not %j', (text) => {
    expect(isOneStanza(Buffer.from(text))).toBe(false)
  })

  it('is what an index is split into', async () => {
    const index = 'Package: a\nDescription: b\n .\n c\n\nPackage: b\n\n\nPackage: c'
    for await (const batch of readStanzas(chunksOf(Buffer.from(index), 5), 'index'))
      expect(batch.map(isOneStanza)).toEqual(batch.map(() => true))
  })
})
