import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { judgeExtraFiles, parseExtraFiles } from './extra-files.ts'

describe('parseExtraFiles', () => {
  it('lists files with their checksums and sizes', () => {
    const text = JSON.stringify({
      header: { version: '1.0' },
      data: [
        {
          file: 'EULA',
          size: 9189,
          checksums: { md5: 'a'.repeat(32), sha256: 'B'.repeat(64), blake9: '00' },
        },
        { file: 'keys/RPM-GPG-KEY', checksums: {} },
        { file: 'EULA', size: 1 },
      ],
    })

    expect(parseExtraFiles(text)).toEqual([
      {
        path: 'EULA',
        size: 9189,
        checksums: [
          { algorithm: 'md5', hex: 'a'.repeat(32) },
          { algorithm: 'sha256', hex: 'b'.repeat(64) },
        ],
      },
      { path: 'keys/RPM-GPG-KEY', size: null, checksums: [] },
    ])
  })

  it.each([
    ['no JSON', 'not found', 'UPSTREAM_INVALID'],
    ['no data', '{}', 'UPSTREAM_INVALID'],
    ['data that is no list', '{"data":{}}', 'UPSTREAM_INVALID'],
    ['a negative size', '{"data":[{"file":"a","size":-1}]}', 'UPSTREAM_INVALID'],
    ['a file outside the tree', '{"data":[{"file":"../a"}]}', 'PATH_UNSAFE'],
    ['half of a surrogate pair', '{"data":[{"file":"a\\ud800"}]}', 'PATH_UNSAFE'],
  ] as const)('refuses %s', (_what, text, code) => {
    expect(() => parseExtraFiles(text)).toThrow(
      expect.toSatisfy((error: unknown) => isChantalError(error, code)),
    )
  })
})

describe('judgeExtraFiles', () => {
  it.each([
    ['a list', '\ufeff{"header":{"version":"1.0"},"data":[]}', 'list'],
    ['a list whose entries are for the reader to judge', '{"data":[{"file":"../a"}]}', 'list'],
    ['a page', '\ufeff\n<!doctype html><title>Not here</title>', 'another document'],
    ['an error in JSON', '{"errors":[{"status":404}]}', 'another document'],
    ['JSON that is no object', 'null', 'another document'],
    ['a list that breaks off', '{"data":[{"file":"EULA"', 'malformed'],
    ['words', 'not found', 'malformed'],
    ['nothing', '', 'malformed'],
  ])('tells of %s', (_, text, kind) => {
    expect(judgeExtraFiles(text)).toBe(kind)
  })
})
