import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JsonMember, JsonSplitter } from './json-splitter.ts'

const limits = { maxValue: 1000, maxDepth: 5 }

/** Takes `text` apart, in chunks of `size` bytes. */
function split(text: string, size = 1000, streamed = 'items'): readonly JsonMember[] {
  const bytes = Buffer.from(text)
  const splitter = new JsonSplitter(streamed, limits)
  const members: JsonMember[] = []
  const buffer = Buffer.alloc(size)
  for (let start = 0; start < bytes.length; start += size) {
    // One buffer again and again, as readers may.
    const length = bytes.copy(buffer, 0, start, start + size)
    members.push(...splitter.write(buffer.subarray(0, length)))
  }
  splitter.end()
  return members
}

describe('taking a JSON document apart', () => {
  it('gives members whole and the elements of one array each for itself, with their lines', () => {
    const text =
      '{"version": 1,\n "items": [\n  {"a": [1, "]"]},\n\n  "x\\"y", -1.5e3 , null],\n "after": {}}\n'

    expect(split(text)).toEqual([
      { name: 'version', index: null, value: 1, line: 1, size: 1 },
      { name: 'items', index: 0, value: { a: [1, ']'] }, line: 3, size: 15 },
      { name: 'items', index: 1, value: 'x"y', line: 5, size: 6 },
      { name: 'items', index: 2, value: -1500, line: 5, size: 6 },
      { name: 'items', index: 3, value: null, line: 5, size: 4 },
      { name: 'after', index: null, value: {}, line: 6, size: 2 },
    ])
  })

  it.each([['{}'], ['{"items":[]}'], [' {\r\n\t"items" : [ ] } ']])('finds no element in %s', (text) => {
    expect(split(text)).toEqual([])
  })

  it('gives the same as `JSON.parse`, however it arrives and is written', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    fc.assert(
      fc.property(
        value,
        fc.array(value, { maxLength: 5 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom(0, 1, '\t'),
        (head, items, size, indent) => {
          const text = JSON.stringify({ head, items }, null, indent)
          fc.pre(text.length < 1000)

          const members = split(text, size)

          // Compared with what the text says: it has no negative zero.
          const parsed: unknown = JSON.parse(text)
          expect({
            head: members[0]?.value,
            items: members.slice(1).map((member) => member.value),
          }).toEqual(parsed)
        },
      ),
    )
  })

  it.each([
    ['nothing', '', 'line 1', 'ends before'],
    ['another kind of document', '\n[1]', 'line 2', 'unexpected "["'],
    ['one that is cut off', '{"items": [1,\n 2', 'line 2', 'ends before'],
    ['one that is cut off in a text', '{"items": ["a', 'line 1', 'ends before'],
    ['two documents', '{}\n{}', 'line 2', 'unexpected "{"'],
    ['a comma too many', '{"items": [1,]}', 'line 1', 'not JSON'],
    ['a comma too few', '{"items": [1 2]}', 'line 1', 'unexpected "2"'],
    ['a name without quotes', '{items: []}', 'line 1', 'unexpected "i"'],
    ['a value that is none', '{"items": [\n\n{"a": x}]}', 'line 3', 'not JSON'],
    ['brackets that do not match', '{"items": [{"a": [}]]}', 'line 1', 'not JSON'],
    ['a value that is too large', `{"items": ["${'x'.repeat(1000)}"]}`, 'line 1', 'more than 1000 bytes'],
    ['blanks without end in a value', `{"items": [{${' '.repeat(2000)}}]}`, 'line 1', 'more than 1000 bytes'],
    ['a value that is too deep', '{"items": [[[[[[[]]]]]]]}', 'line 1', 'too deeply'],
  ])('refuses %s', (_, text, place, message) => {
    for (const size of [1, 7, 1000]) {
      expect(() => split(text, size)).toThrow(
        expect.objectContaining({
          code: 'IMPORT_INVALID',
          message: expect.stringContaining(message),
          details: { place },
        }),
      )
    }
  })

  it('refuses bytes that are not UTF-8', () => {
    const splitter = new JsonSplitter('items', limits)

    expect(() => [...splitter.write(Buffer.from('{"items": ["\xff"]}', 'latin1'))]).toThrow('not UTF-8')
  })
})
