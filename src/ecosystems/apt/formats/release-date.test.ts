import { describe, expect, it } from 'vitest'
import { formatReleaseDate, parseReleaseDate } from './release-date.ts'

describe('parseReleaseDate', () => {
  it.each([
    ['Sat, 21 Nov 2026 00:53:02 UTC', '2026-11-21T00:53:02.000Z'],
    ['Sat, 21 Nov 2026 00:53:02 GMT', '2026-11-21T00:53:02.000Z'],
    ['Sat, 21 Nov 2026 00:53:02 +0000', '2026-11-21T00:53:02.000Z'],
    ['Sat, 21 Nov 2026 00:53:02 Z', '2026-11-21T00:53:02.000Z'],
    ['Tue,  3 Feb 2026  9:05:00 UTC', '2026-02-03T09:05:00.000Z'],
    ['Thu, 29 Feb 2024 23:59:59 UTC', '2024-02-29T23:59:59.000Z'],
  ])('reads %s', (text, expected) => expect(parseReleaseDate(text)?.toISOString()).toBe(expected))

  it.each([
    '',
    'Sat, 21 Nov 2026 00:53:02',
    'Sat, 21 Nov 2026 00:53:02 +0100',
    'Sat, 21 Nov 2026 00:53:02 CET',
    'Sat, 21 Nov 2026 00:53:02 +00:00',
    '21 Nov 2026 00:53:02 UTC',
    'Sa, 21 Nov 2026 00:53:02 UTC',
    'Sun, 29 Feb 2026 00:00:00 UTC',
    'Sun, 00 Mar 2026 00:00:00 UTC',
    'Sun, 01 Mar 2026 24:00:00 UTC',
    'Sun, 01 Mar 26 00:00:00 UTC',
    '2026-11-21T00:53:02Z',
    'Sat, 21 Nov 2026 00:53:02 UTC\nX',
  ])('reads nothing else: %j', (text) => expect(parseReleaseDate(text)).toBeNull())
})

describe('formatReleaseDate', () => {
  it('writes what Debian does', () => {
    expect(formatReleaseDate(new Date('2026-02-03T04:05:06.789Z'))).toBe('Tue, 03 Feb 2026 04:05:06 UTC')
  })
})
