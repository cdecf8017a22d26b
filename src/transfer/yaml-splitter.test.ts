import fc from 'fast-check'
import { dump } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { type YamlDocument, YamlSplitter } from './yaml-splitter.ts'

const limits = { maxValue: 1000, maxDepth: 5 }

function split(text: string, size = 1000): readonly YamlDocument[] {
  const bytes = Buffer.from(text)
  const splitter = new YamlSplitter(limits)
  const documents: YamlDocument[] = []
  const buffer = Buffer.alloc(size)
  for (let start = 0; start < bytes.length; start += size) {
    // One buffer again and again, as readers may.
    const length = bytes.copy(buffer, 0, start, start + size)
    documents.push(...splitter.write(buffer.subarray(0, length)))
  }
  return [...documents, ...splitter.end()]
}

describe('taking a YAML stream apart', () => {
  it('gives each document, with the line that it begins in', () => {
    const text = '# head\n---\na: |\n  ---\n  x\n--- [1, 2]\n...\n---\r\n"---\\n"\n---\n---- x'

    expect(split(text).map(({ value, line }) => [value, line])).toEqual([
      [{ a: '---\nx\n' }, 2],
      [[1, 2], 6],
      ['---\n', 8],
      ['---- x', 10],
    ])
  })

  it('gives what was written, however it arrives', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), fc.integer({ min: 1, max: 30 }), (values, size) => {
        const text = values.map((each) => `---\n${dump(each, { lineWidth: -1, noRefs: true })}`).join('')
        fc.pre(text.length < 900)

        const documents = split(text, size)

        expect(JSON.stringify(documents.map((document) => document.value))).toBe(JSON.stringify(values))
      }),
    )
  })

  it.each([
    ['aliases', '---\na: &a [1]\nb: *a\n', 'line 3', 'alias'],
    ['what is not YAML', '---\na: 1\n---\nb: [\n', 'line 5', 'not YAML'],
    ['a document that is too large', `---\n${'a\n'.repeat(600)}`, 'line 1', 'more than 1000 bytes'],
    ['a line that is too large', `---\n${'a'.repeat(2000)}`, 'line 1', 'more than 1000 bytes'],
    ['a document that is too deep', '---\n[[[[[[[]]]]]]]\n', 'line 2', 'not YAML'],
    ['the same key twice', '---\na: 1\na: 2\n', 'line 3', 'not YAML'],
    ['tags of other programs', '---\n!!js/function x\n', 'line 2', 'not YAML'],
  ])('refuses %s', (_, text, place, message) => {
    expect(() => split(text, 7)).toThrow(
      expect.objectContaining({
        code: 'IMPORT_INVALID',
        message: expect.stringContaining(message),
        details: { place },
      }),
    )
  })
})
