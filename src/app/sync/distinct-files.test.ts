import { describe, expect, it } from 'vitest'
import type { UpstreamFile } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { distinctFiles } from './distinct-files.ts'

const file = (location: string, hex: string | null, other: Partial<UpstreamFile> = {}): UpstreamFile => ({
  path: parseRelativePath(location),
  location,
  expect: { size: 3, maxSize: 3, checksums: hex === null ? [] : [{ algorithm: 'sha256', hex }] },
  ...other,
})

describe('files that several packages have', () => {
  it('are one to fetch, and the rest are known by it', () => {
    const [a, b, c, d] = [file('x', 'aa'), file('y', 'bb'), file('x', 'aa'), file('x', 'aa')] as const

    const { distinct, twins } = distinctFiles([a, b, c, d])

    expect(distinct).toEqual([a, b])
    expect(twins).toEqual(new Map([[a, [c, d]]]))
  })

  it.each([
    ['stand in different places', file('y', 'aa')],
    ['have another checksum', file('x', 'bb')],
    ['have no checksum', file('x', null)],
    [
      'have a checksum more',
      file('x', 'aa', {
        expect: {
          maxSize: 3,
          size: 3,
          checksums: [
            { algorithm: 'sha256', hex: 'aa' },
            { algorithm: 'sha512', hex: 'cc' },
          ],
        },
      }),
    ],
    [
      'have another size',
      file('x', 'aa', { expect: { maxSize: 4, size: 4, checksums: [{ algorithm: 'sha256', hex: 'aa' }] } }),
    ],
    ['may be left out', file('x', 'aa', { isOptional: true })],
    ['are also elsewhere', file('x', 'aa', { fallback: 'z' })],
  ])('are not the same where they %s', (_, other) => {
    const first = file('x', 'aa')

    expect(distinctFiles([first, other])).toEqual({ distinct: [first, other], twins: new Map() })
  })

  it('are each for itself where nothing vouches for them', () => {
    const files = [file('x', null), file('x', null)]

    expect(distinctFiles(files).distinct).toEqual(files)
  })
})
