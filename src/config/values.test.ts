import { describe, expect, it } from 'vitest'
import { parseBandwidth, parseDate, parseDuration, parseSize } from './values.ts'

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['30', null],
    ['s', null],
    ['-1s', null],
    ['30 parsecs', null],
  ])('reads %s as %s ms', (text, expected) => expect(parseDuration(text)).toBe(expected))
})

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['1024', 1024],
    ['50MB', 50_000_000],
    ['1GiB', 1_073_741_824],
    ['1.5 GiB', 1_610_612_736],
    ['16gib', 17_179_869_184],
    ['10B', 10],
    ['MB', null],
    ['50MBit', null],
    ['99999999999TiB', null],
  ])('reads %s as %s bytes', (text, expected) => expect(parseSize(text)).toBe(expected))

  it.each([
    ['50MB/s', 50_000_000],
    ['1024/s', 1024],
    ['50MB', null],
  ])('reads %s as %s bytes a second', (text, expected) => expect(parseBandwidth(text)).toBe(expected))
})

describe('dates', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31 12:30', '2026-01-31T12:30:00.000Z'],
    ['2026-01-31T12:30:00+02:00', '2026-01-31T10:30:00.000Z'],
  ])('reads %s as %s', (text, expected) => expect(parseDate(text)?.toISOString()).toBe(expected))

  it.each(['2026-02-31', '2026-13-01', 'yesterday', '31.01.2026'])('does not take %s for a date', (text) =>
    expect(parseDate(text)).toBeNull(),
  )
})
