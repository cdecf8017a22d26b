import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parseInstallerSums } from './installer-sums.ts'

const hex = (digit: string): string => digit.repeat(64)
const refused = (code: 'UPSTREAM_INVALID' | 'PATH_UNSAFE' | 'SIZE_LIMIT'): unknown =>
  expect.toSatisfy((error: unknown) => isChantalError(error, code))

describe('parseInstallerSums', () => {
  it('reads what sha256sum writes', () => {
    const text = `${hex('a')}  ./MANIFEST\n${hex('B')} *./netboot/debian-installer/amd64/linux\n\n${hex('c')}  cdrom/debian cd.info\r\n`

    const files = parseInstallerSums(text, 'SHA256SUMS')

    expect(files).toEqual([
      { path: 'MANIFEST', checksum: { algorithm: 'sha256', hex: hex('a') } },
      { path: 'netboot/debian-installer/amd64/linux', checksum: { algorithm: 'sha256', hex: hex('b') } },
      { path: 'cdrom/debian cd.info', checksum: { algorithm: 'sha256', hex: hex('c') } },
    ])
  })

  it('lists a file once that is named twice, and none for an empty list', () => {
    expect(parseInstallerSums(`${hex('a')}  ./x\n${hex('A')}  x\n`, 'SHA256SUMS')).toHaveLength(1)
    expect(parseInstallerSums('\n', 'SHA256SUMS')).toEqual([])
  })

  it.each([
    ['another checksum', `${'a'.repeat(32)}  ./x`],
    ['no path', `${hex('a')}  `],
    ['one blank', `${hex('a')} x`],
    ['an escaped name', `\\${hex('a')}  x\\\\y`],
    ['a page', '<html>'],
  ])('refuses a line with %s', (_, line) => {
    expect(() => parseInstallerSums(line, 'SHA256SUMS')).toThrow(refused('UPSTREAM_INVALID'))
  })

  it('refuses a file with two checksums', () => {
    expect(() => parseInstallerSums(`${hex('a')}  x\n${hex('b')}  ./x\n`, 'SHA256SUMS')).toThrow(
      refused('UPSTREAM_INVALID'),
    )
  })

  it.each(['../x', '/etc/passwd', './a/../../x', '.', 'a//b'])('refuses the path %s', (path) => {
    expect(() => parseInstallerSums(`${hex('a')}  ${path}\n`, 'SHA256SUMS')).toThrow(refused('PATH_UNSAFE'))
  })

  it('refuses a list without end', () => {
    const text = Array.from({ length: 100_001 }, (_, index) => `${hex('a')}  ${index}\n`).join('')

    expect(() => parseInstallerSums(text, 'SHA256SUMS')).toThrow(refused('SIZE_LIMIT'))
  })
})
