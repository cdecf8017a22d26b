import { describe, expect, it } from 'vitest'
import { facts, Output } from './output.ts'
import { printable, renderTable } from './render/table.ts'

describe('what upstream wrote', () => {
  it.each([
    ['\u001b[2J', '\\x1b[2J'],
    ['a\nb\u009b', 'a\\x0ab\\x9b'],
    ['\u200e\u200f', '\\u200e\\u200f'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['\u202a\u202b\u202c\u202d\u202e', '\\u202a\\u202b\\u202c\\u202d\\u202e'],
    ['\u2066\u2067\u2068\u2069', '\\u2066\\u2067\\u2068\\u2069'],
    ['Grüße, שלום', 'Grüße, שלום'],
  ])('is shown, and moves nothing: %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
    expect(renderTable([{ title: 'NAME', show: (name: string) => name }], [text])).toContain(`\n${shown}\n`)
    expect(facts([['name', text]])).toEqual([`name: ${shown}`])
  })

  it('keeps to its line where one thing is shown', () => {
    const written: string[] = []
    const stdout = { write: (text: string) => written.push(text) }
    const output = new Output('table', { stdout } as never)

    output.one({}, () => ['+ a\u202e', '  b\u001b[A'])

    expect(written.join('')).toBe('+ a\\u202e\n  b\\x1b[A\n')
  })
})
