import { hash } from 'node:crypto'
import type { ZodType } from 'zod'
import { ChantalError } from '../core/errors.ts'

/**
 * The form of every manifest beside the published trees: one line of JSON that says what it is, then a line an entry,
 * its fields apart by tabs and the path last (paths hold no control characters). The first line has the SHA-256 of the
 * rest, so that lines need no checks of their own: 60,000 are read in the time of splitting them.
 */
const manifestFormat = 1

export function formatManifest(header: object, lines: readonly string[]): string {
  const body = lines.map((line) => `${line}\n`).join('')
  return `${JSON.stringify({ format: manifestFormat, ...header, sum: hash('sha256', body, 'hex') })}\n${body}`
}

/**
 * @param file named in errors
 * @returns the lines as they were given, and the sum of them
 * @throws ChantalError `CATALOG_TOO_NEW` for what a later version wrote; an `Error` for what is damaged, because
 * guessing what is still wanted would remove files that clients need
 */
export function parseManifest<Header>(
  text: string,
  file: string,
  schema: ZodType<Header>,
): { readonly header: Header; readonly lines: readonly string[]; readonly sum: string } {
  const end = text.indexOf('\n') + 1
  const first = parseHeader(text.slice(0, end), file)
  if (first.format !== manifestFormat) {
    throw new ChantalError('CATALOG_TOO_NEW', `${file} has format ${first.format}, not ${manifestFormat}`, {
      hint: 'Use the version of Chantal that published here last, or a later one.',
    })
  }
  const body = text.slice(end)
  const sum = hash('sha256', body, 'hex')
  if (sum !== first.sum) throw damaged(file)
  return { header: schema.parse(first), lines: body === '' ? [] : body.slice(0, -1).split('\n'), sum }
}

function parseHeader(text: string, file: string): { readonly format: unknown; readonly sum: unknown } {
  try {
    const header: unknown = JSON.parse(text)
    if (typeof header === 'object' && header !== null && 'format' in header && 'sum' in header) return header
  } catch (error) {
    throw damaged(file, error)
  }
  throw damaged(file)
}

export function damaged(file: string, cause?: unknown): Error {
  return new Error(`damaged manifest: ${file}`, { cause })
}
