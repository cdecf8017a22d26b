import { ChantalError } from '../../../core/errors.ts'
import type { RelativePath } from '../../../core/path.ts'
import { decodeStanza, parseStanza, type Stanza } from './stanza.ts'
import { serializeStanza } from './stanza-writer.ts'

/** What a `Packages` index says of a package's file. Checksums are lower-case hex. */
export interface HostedFile {
  readonly path: RelativePath
  /** In bytes. */
  readonly size: number
  readonly md5: string
  readonly sha1: string
  readonly sha256: string
  readonly sha512?: string
}

/**
 * The paragraph of a control file, as `readDebControl` gives it. What is not UTF-8 becomes U+FFFD.
 * @throws ChantalError `UPSTREAM_INVALID` where it is none, or not one alone
 */
export function parseControl(control: Uint8Array): Stanza {
  // Some readers end a paragraph at a line of blanks, others go on.
  const [first = '', ...rest] = decodeStanza(control)
    .replace(/^\s+/, '')
    .split(/\n[ \t\r\f\v]*\n/)
  if (rest.some((text) => text.trim() !== ''))
    throw new ChantalError(
      'UPSTREAM_INVALID',
      'not a sound Debian package: its control file has two paragraphs',
      {
        hint: 'Whoever built this package did it wrongly; tell them.',
      },
    )
  return parseStanza(Buffer.from(first), 'control file')
}

/** The name of the package's source; its version, which is left out, stands behind it in parentheses where it is another. */
export function sourceOf(control: Stanza): string | null {
  const source = control.get('Source')
  if (source === null) return null
  const parenthesis = source.indexOf('(')
  return parenthesis < 0 ? source : source.slice(0, parenthesis).trimEnd()
}

/**
 * A package's stanza for `Packages`: the fields of its control file in their order, the description whole, and after them what
 * `apt-ftparchive` adds. What the control file says under those names is left out: only the file itself can tell.
 * @throws ChantalError `UPSTREAM_INVALID` for a field that stands twice, or cannot be written
 * @see DebianRepository/Format, "Packages Indices"
 */
export function hostedStanza(control: Stanza, file: HostedFile): Uint8Array {
  const added: readonly (readonly [string, string])[] = [
    ['Filename', file.path],
    ['Size', String(file.size)],
    ['MD5sum', file.md5],
    ['SHA1', file.sha1],
    ['SHA256', file.sha256],
    ...(file.sha512 === undefined ? [] : [['SHA512', file.sha512] as const]),
  ]
  const kept = control.fields.filter(({ name }) => !ofTheFile.has(name.toLowerCase()))
  return Buffer.from(serializeStanza([...kept.map(({ name, value }) => [name, value] as const), ...added]))
}

const ofTheFile = new Set(['filename', 'size', 'md5sum', 'sha1', 'sha256', 'sha512', 'description-md5'])
