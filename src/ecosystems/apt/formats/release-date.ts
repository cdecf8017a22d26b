/**
 * Reads `Date` and `Valid-Until` of a Release file: `Sat, 21 Nov 2026 00:53:02 UTC`. Day and hour may have one digit; the
 * weekday need not fit. `null` for everything else, other zones than UTC among it: apt refuses them.
 * @see apt-pkg/contrib/strutl.cc, `RFC1123StrToTime`
 */
export function parseReleaseDate(text: string): Date | null {
  const found = pattern.exec(text)
  if (found === null) return null
  const [, day, monthName, year, hour, minute, second] = found
  const month = months.findIndex((name) => name.toLowerCase() === monthName?.toLowerCase())
  const date = new Date(
    Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second)),
  )
  // A day that the month has not would have become one of the next.
  return date.getUTCDate() === Number(day) && date.getUTCMonth() === month ? date : null
}

/** As Debian writes it; apt reads no fractions, they are cut off. */
export function formatReleaseDate(date: Date): string {
  return date.toUTCString().replace('GMT', 'UTC')
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const pattern = new RegExp(
  [
    /^[ \t]*(?:sun|mon|tue|wed|thu|fri|sat),/,
    /([0-3]?[0-9])/,
    new RegExp(`(${months.join('|')})`),
    /([1-9][0-9]{3})/,
    /([01]?[0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])/,
    /(?:utc|gmt|z|[+-]0000)[ \t]*$/,
  ]
    .map(({ source }) => source)
    .join('[ \\t]+'),
  'i',
)
