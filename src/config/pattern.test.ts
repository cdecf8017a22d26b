import { expect, it } from 'vitest'
import { compilePattern } from './pattern.ts'

it.each([
  ['nginx', 'libnginx-mod', true],
  ['^nginx', 'libnginx', false],
  ['^nginx$', 'nginx', true],
  ['(?i)^NGINX', 'nginx', true],
  ['^g\\+\\+$', 'g++', true],
  ['^foo\\-bar', 'foo-bar', true],
  ['(?<a>x)\\k<a>', 'xx', true],
])('searches %s in %s', (source, name, expected) => {
  const pattern = compilePattern(source)

  expect(pattern).toBeInstanceOf(RegExp)
  expect(pattern instanceof RegExp && name.search(pattern) !== -1).toBe(expected)
})

it.each([
  ['^g++$', 'Nothing to repeat'],
  ['(?P<name>a)', '(?<name>...)'],
  ['(a)(?P=a)', '\\k<name>'],
  ['\\Afoo', '^'],
  ['foo\\Z', '$'],
  ['(?x)a b', '(?i)'],
  ['(', 'Unterminated group'],
])('says what is wrong with %s', (source, expected) => {
  expect(compilePattern(source)).toEqual({ problem: expect.stringContaining(expected) })
})
