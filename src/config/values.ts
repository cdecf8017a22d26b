import * as z from 'zod'

const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const bytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** `500ms`, `30s`, `5m`, `6h`, `7d` in milliseconds; `null` for anything else. */
export function parseDuration(text: string): number | null {
  return amount(text, milliseconds)
}

/** `50MB`, `1GiB`, `1.5 GiB`, `1024` in bytes; `null` for anything else. A kB is 1000 bytes, a KiB 1024. */
export function parseSize(text: string): number | null {
  return /^\d+$/.test(text) ? safe(Number(text)) : amount(text, bytes)
}

/** `50MB/s` in bytes per second; `null` for anything else. */
export function parseBandwidth(text: string): number | null {
  return text.endsWith('/s') ? parseSize(text.slice(0, -2).trimEnd()) : null
}

const durationWanted = 'expected a duration with its unit, such as "500ms", "30s", "6h" or "7d"'

/** A duration as text; what {@link durationOf} reads. */
export const duration = z
  .string({ error: durationWanted })
  .refine((text) => parseDuration(text) !== null, durationWanted)

const sizeWanted = 'expected a size, such as "50MB", "1GiB" or a number of bytes'

/** A size as text or as a number of bytes. */
export const size = z.union(
  [z.int().min(0, sizeWanted), z.string().refine((text) => parseSize(text) !== null, sizeWanted)],
  { error: sizeWanted },
)

export const bandwidth = z
  .string({ error: 'expected bytes a second, such as "50MB/s"' })
  .refine((text) => (parseBandwidth(text) ?? 0) > 0, 'expected bytes a second, such as "50MB/s"')

/** A date, or a date and time; without a zone it is UTC. `null` for anything else. */
export function parseDate(text: string): Date | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!match) return null
  const date = new Date(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`)
  // A thirty-first of February would become a day in March.
  const isReal =
    !Number.isNaN(date.getTime()) && new Date(`${match[1]}T00:00Z`).toISOString().startsWith(String(match[1]))
  return isReal ? date : null
}

export const date = z
  .string({ error: 'expected a date, such as 2026-01-31 or 2026-01-31T12:00:00Z' })
  .refine((text) => parseDate(text) !== null, 'expected a date, such as 2026-01-31 or 2026-01-31T12:00:00Z')

/** Milliseconds of a duration that its schema let pass. */
export function durationOf(text: string): number {
  return parseDuration(text) ?? 0
}

/** Bytes of a size that its schema let pass. */
export function sizeOf(value: string | number): number {
  return typeof value === 'number' ? value : (parseSize(value) ?? 0)
}

function amount(text: string, units: Readonly<Record<string, number>>): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]+)$/.exec(text) ?? []
  const factor = unit === undefined ? undefined : units[unit.toLowerCase()]
  return number === undefined || factor === undefined ? null : safe(Math.round(Number(number) * factor))
}

function safe(value: number): number | null {
  return Number.isSafeInteger(value) ? value : null
}
