import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const page = 'docs/known-traps.md'

interface Trap {
  readonly name: string
  readonly tests: readonly { readonly file: string; readonly title: string }[]
  /** What the row says besides. */
  readonly remark: string
}

const traps = readFileSync(path.join(root, page), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Trap |') && !line.startsWith('| --- |'))
  .map((line): Trap => {
    const [, name = '', keptOutBy = ''] = /^\| (.*?) \| (.*) \|$/.exec(line) ?? []
    const test = /\[[^\]]+\]\(\.\.\/([^)]+)\): `([^`]+)`/g
    return {
      name,
      tests: [...keptOutBy.matchAll(test)].map(([, file = '', title = '']) => ({ file, title })),
      remark: keptOutBy.replaceAll(test, '').replaceAll('<br>', '').trim(),
    }
  })

/** Whether a test has this title, or is of a table that has a case of this name: what its row begins with. */
function hasTest(source: string, title: string): boolean {
  const literal = `(['"\`])${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\1`
  const ofTest = new RegExp(`(?:\\bit(?:\\.(?!skip\\b)\\w+)*|\\))\\(\\s*${literal}`)
  const ofCase = new RegExp(`\\[\\s*${literal},`)
  return ofTest.test(source) || ofCase.test(source)
}

describe(page, () => {
  it('has rows, each once', () => {
    const names = traps.map(({ name }) => name)

    expect(names.length).toBeGreaterThan(90)
    expect(names.filter((name, index) => name === '' || names.indexOf(name) !== index)).toEqual([])
  })

  it.each(traps)('$name', ({ tests, remark }) => {
    if (tests.length === 0) expect(remark).toMatch(/^No test: .{20}/)
    const missing = tests.filter(({ file, title }) => {
      const absolute = path.join(root, file)
      return !existsSync(absolute) || !hasTest(readFileSync(absolute, 'utf8'), title)
    })

    expect(missing).toEqual([])
  })
})

describe('a test', () => {
  const source = `it('is', () => {})
    it.skip('is not', () => {})
    it.each([['a case', 1], [yaml('x'), 'key', 'a word']])(
      'of %s', (name) => {})
    const other = 'elsewhere'`

  it.each([
    ['is', true],
    ['of %s', true],
    ['a case', true],
    ['is not', false],
    ['a word', false],
    ['elsewhere', false],
    ['i.', false],
  ])('titled %j is found: %s', (title, found) => expect(hasTest(source, title)).toBe(found))
})
