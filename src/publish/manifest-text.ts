import type { Schema } from '../core/brand.ts'
import { ChantalError } from '../core/errors.ts'

/**
 * The form of every manifest beside the published trees: one line of JSON that says what it is, then a line an entry,
 * its fields apart by tabs and the path last (paths hold no control characters). 60,000 entries are split in milliseconds.
 */
export const manifestFormat = 1

export function formatManifest(header: object, lines: readonly string[]): string {
  const first = JSON.stringify({ format: manifestFormat, ...header, lines: lines.length })
  return `${[first, ...lines].join('\n')}\n`
}

/**
 * @param file named in errors
 * @throws ChantalError `CATALOG_TOO_NEW` for what a later version wrote; an `Error` for what is damaged, because
 * guessing what is still wanted would remove files that clients need
 */
export function parseManifest<Header>(
  text: string,
  file: string,
  schema: Schema<Header>,
): { readonly header: Header; readonly lines: readonly string[] } {
  const lines = text.split('\n')
  const first = parseHeader(lines.shift() ?? '', file)
  if (first.format !== manifestFormat) {
    throw new ChantalError('CATALOG_TOO_NEW', `${file} has format ${first.format}, not ${manifestFormat}`, {
      hint: 'Use the version of Chantal that published here last, or a later one.',
    })
  }
  if (lines.pop() !== '' || lines.length !== first.lines) throw damaged(file)
  return { header: schema.parse(first), lines }
}

function parseHeader(text: string, file: string): { readonly format: unknown; readonly lines: unknown } {
  try {
    const header: unknown = JSON.parse(text)
    if (typeof header === 'object' && header !== null && 'format' in header && 'lines' in header)
      return header
  } catch (error) {
    throw damaged(file, error)
  }
  throw damaged(file)
}

export function damaged(file: string, cause?: unknown): Error {
  return new Error(`damaged manifest: ${file}`, { cause })
}
