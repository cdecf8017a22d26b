import { createHash, hash } from 'node:crypto'
import type { ZodType } from 'zod'
import { ChantalError, isChantalError } from '../core/errors.ts'

/**
 * The form of every manifest beside the published trees: one line of JSON that says what it is, then a line an entry,
 * its fields apart by tabs and the path last (paths hold no control characters). The first line has the SHA-256 of the
 * rest, so that lines need no checks of their own: 60,000 are read in the time of splitting them.
 */
const manifestFormat = 1

/** @returns UTF-8, made piece by piece: as one text it would be in memory several times */
export function formatManifest(header: object, lines: Iterable<string>): Uint8Array {
  const pieces: Uint8Array[] = []
  const sum = createHash('sha256')
  const add = (text: string) => {
    const piece = Buffer.from(text)
    sum.update(piece)
    pieces.push(piece)
  }
  let text = ''
  for (const line of lines) {
    text += `${line}\n`
    if (text.length < pieceLength) continue
    add(text)
    text = ''
  }
  add(text)
  return joined(header, sum.digest('hex'), pieces)
}

/** Lines as they stand in a manifest. */
export interface ManifestBody {
  readonly body: Uint8Array
  /** SHA-256 of `body`, in hex. */
  readonly sum: string
}

/** As {@link formatManifest}, of the lines that another manifest has. */
export function repeatManifest(header: object, { body, sum }: ManifestBody): Uint8Array {
  return joined(header, sum, [body])
}

function joined(header: object, sum: string, pieces: readonly Uint8Array[]): Uint8Array {
  const first = JSON.stringify({ format: manifestFormat, ...header, sum })
  return Buffer.concat([Buffer.from(`${first}\n`), ...pieces])
}

const pieceLength = 64 * 1024

/**
 * @param file named in errors
 * @returns the lines as they were given, and as they stand there
 * @throws ChantalError `CATALOG_TOO_NEW` for what a later version wrote; `CATALOG_CORRUPT` for what is damaged: each who reads says
 *   what that means there, because guessing what is still wanted would remove files that clients need
 */
export function parseManifest<Header>(
  bytes: Uint8Array,
  file: string,
  schema: ZodType<Header>,
): ManifestBody & { readonly header: Header; readonly lines: readonly string[] } {
  const { whole, end, first } = split(bytes, file)
  const body = whole.subarray(end)
  const sum = hash('sha256', body, 'hex')
  if (sum !== first.sum) throw damaged(file)
  const lines = end === whole.byteLength ? [] : whole.toString('utf8', end, whole.byteLength - 1).split('\n')
  return { header: headerOf(first, file, schema), lines, body, sum }
}

/**
 * What a manifest says of itself, without a look at its lines.
 * @throws as {@link parseManifest}, but for lines that are damaged
 */
export function parseManifestHeader<Header>(
  bytes: Uint8Array,
  file: string,
  schema: ZodType<Header>,
): Header {
  return headerOf(split(bytes, file).first, file, schema)
}

/** What `read` reads, or what is to be in place of it where the file is damaged. */
export async function unlessDamaged<T, const Otherwise>(
  read: () => T | Promise<T>,
  otherwise: Otherwise,
): Promise<T | Otherwise> {
  try {
    return await read()
  } catch (error) {
    if (isChantalError(error, 'CATALOG_CORRUPT')) return otherwise
    throw error
  }
}

function split(bytes: Uint8Array, file: string) {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = whole.indexOf('\n') + 1
  const first = parseHeader(whole.toString('utf8', 0, end), file)
  if (first.format === manifestFormat) return { whole, end, first }
  if (typeof first.format === 'number' && first.format > manifestFormat) {
    throw new ChantalError('CATALOG_TOO_NEW', `${file} has format ${first.format}, not ${manifestFormat}`, {
      hint: 'Use the version of Chantal that published here last, or a later one.',
    })
  }
  throw damaged(file)
}

function headerOf<Header>(first: object, file: string, schema: ZodType<Header>): Header {
  try {
    return schema.parse(first)
  } catch (error) {
    throw damaged(file, error)
  }
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

export function damaged(file: string, cause?: unknown): ChantalError {
  return new ChantalError('CATALOG_CORRUPT', `damaged manifest: ${file}`, {
    cause,
    hint: 'Publish what it belongs to again with `--force`; `chantal db verify` names what else is damaged.',
    details: { path: file },
  })
}
