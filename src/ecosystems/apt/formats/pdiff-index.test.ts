import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { parsePdiffIndex } from './pdiff-index.ts'

const sha256 = (digit: string): string => digit.repeat(64)
const sha1 = (digit: string): string => digit.repeat(40)
const refused = (code: 'UPSTREAM_INVALID' | 'PATH_UNSAFE'): unknown =>
  expect.toSatisfy((error: unknown) => isChantalError(error, code))

/** In the layout of dak, with patches merged by the server. */
const merged = `SHA1-Current: ${sha1('1')} 13499355
SHA256-Current: ${sha256('1')} 13499355
SHA1-History:
 ${sha1('2')} 13992555 T-2020-12-12-0800.11-F-2020-11-25-0812.03
 ${sha1('3')} 13985915 T-2020-12-12-0800.11-F-2020-12-12-0800.11
SHA256-History:
 ${sha256('2')} 13992555 T-2020-12-12-0800.11-F-2020-11-25-0812.03
 ${sha256('3')} 13985915 T-2020-12-12-0800.11-F-2020-12-12-0800.11
SHA256-Patches:
 ${sha256('4')} 6093771 T-2020-12-12-0800.11-F-2020-11-25-0812.03
 ${sha256('5')}     584 T-2020-12-12-0800.11-F-2020-12-12-0800.11
SHA1-Download:
 ${sha1('6')}  387469 GONE_WITH_THE_WIND
 ${sha1('8')}     271 T-2020-12-12-0800.11-F-2020-12-12-0800.11.gz
SHA256-Download:
 ${sha256('7')}  387492 T-2020-12-12-0800.11-F-2020-11-25-0812.03.gz
 ${sha256('8')}     271 T-2020-12-12-0800.11-F-2020-12-12-0800.11.gz
X-Unmerged-SHA256-Patches:
 ${sha256('9')}     584 2020-12-12-0800.11
X-Unmerged-SHA256-Download:
 ${sha256('9')}     271 2020-12-12-0800.11.gz
X-Patch-Precedence: merged
`

describe('parsePdiffIndex', () => {
  it('lists the patches that clients ask for, with size and checksums of what they download', () => {
    expect(parsePdiffIndex(merged, 'Index')).toEqual([
      {
        path: 'T-2020-12-12-0800.11-F-2020-11-25-0812.03.gz',
        size: 387492,
        checksums: [{ algorithm: 'sha256', hex: sha256('7') }],
      },
      {
        path: 'T-2020-12-12-0800.11-F-2020-12-12-0800.11.gz',
        size: 271,
        checksums: [
          { algorithm: 'sha256', hex: sha256('8') },
          { algorithm: 'sha1', hex: sha1('8') },
        ],
      },
    ])
  })

  it('lists patches of older archives, which do not say what is downloaded', () => {
    const text = `SHA1-Current: ${sha1('1')} 10\nSHA1-History:\n ${sha1('2')} 9 2011-01-01-0000.00\nSHA1-Patches:\n ${sha1('3')} 5 2011-01-01-0000.00\n`

    expect(parsePdiffIndex(text, 'Index')).toEqual([
      { path: '2011-01-01-0000.00.gz', size: null, checksums: [] },
    ])
  })

  it('lists none where there are none', () => {
    expect(parsePdiffIndex(`SHA256-Current: ${sha256('1')} 10\nSHA256-Patches:\n`, 'Index')).toEqual([])
  })

  it.each([
    ['a line of two words', `SHA256-Patches:\n ${sha256('1')} name\n`],
    ['a size that is none', `SHA256-Patches:\n ${sha256('1')} -1 name\n`],
    [
      'a checksum that is none',
      `SHA256-Patches:\n ${sha256('1')} 1 a\nSHA256-Download:\n ${sha1('1')} 1 a.gz\n`,
    ],
    ['a page', '<html>\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parsePdiffIndex(text, 'Index')).toThrow(refused('UPSTREAM_INVALID'))
  })

  it.each(['../../x', '/x'])('refuses a patch at %s', (name) => {
    expect(() => parsePdiffIndex(`SHA256-Patches:\n ${sha256('1')} 1 ${name}\n`, 'Index')).toThrow(
      refused('PATH_UNSAFE'),
    )
  })
})
