import { describe, expect, it } from 'vitest'
import { isChantalError } from './errors.ts'
import { joinRelativePath, parseRelativePath } from './path.ts'

const unsafe = expect.toSatisfy((error: unknown) => isChantalError(error, 'PATH_UNSAFE'))

describe('a path from upstream', () => {
  it.each([
    'a',
    'Packages/a/b.rpm',
    '.treeinfo',
    '...',
    'a..b/c',
    'updates/main',
    'x+y~z^1 ä',
    '😀',
    `${'a/'.repeat(511)}b`,
  ])('may be %j', (text) => {
    expect(parseRelativePath(text)).toBe(text)
  })

  it.each([
    '',
    '/etc/passwd',
    '..',
    '../../etc/cron.d/x',
    'a/../../b',
    'a/..',
    './a',
    'a//b',
    'a/',
    'a\\..\\b',
    'amd64\nForged: line',
    'a\u0000.rpm',
    'a\u007fb',
    'a'.repeat(256),
    `${'a/'.repeat(512)}b`,
    'a\ud800',
    '\udc00\ud800/b',
  ])('never leads elsewhere nor holds a forged line: %j', (text) => {
    expect(() => parseRelativePath(text)).toThrow(unsafe)
    expect(() => joinRelativePath(parseRelativePath('folder'), text)).toThrow(unsafe)
  })
})
