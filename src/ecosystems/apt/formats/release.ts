import type { ChecksumAlgorithm } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import { type ListedFile, mergeChecksumLines } from './checksum-lines.ts'
import { parseReleaseDate } from './release-date.ts'
import { parseStanzaText, type Stanza, type StanzaField } from './stanza.ts'

/** Its path is relative to the Release file. */
export type ReleaseFile = ListedFile

/** What a Release file says; absent and empty fields are `null`. */
export interface Release {
  /** A field's value by its name in any case, checksum sections included. */
  get(name: string): string | null
  /** Without the checksum sections, in file order. */
  readonly fields: readonly StanzaField[]
  /** `null` also where it cannot be read: apt warns and goes on. */
  readonly date: Date | null
  readonly validUntil: Date | null
  readonly suite: string | null
  readonly codename: string | null
  readonly origin: string | null
  readonly label: string | null
  /** As written: a component may be a path, `updates/main`. */
  readonly components: readonly string[]
  readonly architectures: readonly string[]
  readonly acquireByHash: boolean
  /**
   * Whether packages of the architecture `all` are only in `binary-all`, which has to be read beside every other: that is so
   * where `Architectures` lists `all`, and `No-Support-for-Architecture-all` does not say that `Packages` have them.
   */
  readonly hasSeparateAllIndex: boolean
  /** By path, in the order in which they first appear. */
  readonly files: ReadonlyMap<string, ReleaseFile>
}

/**
 * Reads a Release file, or the text that an InRelease signs. As in apt, its first stanza is all there is to it.
 *
 * Unlike apt, which takes the first that it meets, this refuses a file whose sections contradict each other.
 * @param what names the file in errors
 * @throws ChantalError `UPSTREAM_INVALID` for text that is no stanza, a line of a checksum section that is not
 * `checksum size path`, one path with two sizes or two checksums of one algorithm, and a `Valid-Until` that cannot be read
 * @see https://wiki.debian.org/DebianRepository/Format, and apt-pkg/deb/debmetaindex.cc, `Load`
 */
export function parseRelease(text: string, what: string): Release {
  const stanza = parseStanzaText(text.replace(/^[\r\n]+/, ''), what)
  if (stanza.fields.length === 0) throw invalid(what, 'it has no fields')
  // Some tool has left out `MD5Sum:`, so that those lines belong to `Components`. These fields have one line.
  const words = (name: string) =>
    stanza
      .get(name)
      ?.replace(/\n.*/s, '')
      .split(/[ \t]+/)
      .filter(Boolean) ?? []
  const architectures = words('Architectures')
  return {
    get: stanza.get,
    fields: stanza.fields.filter(({ name }) => !checksumSections.has(name.toLowerCase())),
    date: parseReleaseDate(stanza.get('Date') ?? ''),
    validUntil: parseValidUntil(stanza, what),
    suite: stanza.get('Suite') || null,
    codename: stanza.get('Codename') || null,
    origin: stanza.get('Origin') || null,
    label: stanza.get('Label') || null,
    components: words('Components'),
    architectures,
    acquireByHash: /^(?:yes|true|with|on|enable|1)$/i.test(stanza.get('Acquire-By-Hash') ?? ''),
    hasSeparateAllIndex:
      architectures.includes('all') && !words('No-Support-for-Architecture-all').includes('Packages'),
    files: mergeChecksumLines(
      [...checksumSections].map(([name, algorithm]) => [algorithm, stanza.get(name)]),
      what,
    ),
  }
}

/** What a checksum section's field is called, in lower case, and its algorithm. */
const checksumSections: ReadonlyMap<string, ChecksumAlgorithm> = new Map([
  ['md5sum', 'md5'],
  ['sha1', 'sha1'],
  ['sha256', 'sha256'],
  ['sha512', 'sha512'],
])

function parseValidUntil(stanza: Stanza, what: string): Date | null {
  const value = stanza.get('Valid-Until') || null
  if (value === null) return null
  const date = parseReleaseDate(value)
  if (date === null) throw invalid(what, `Valid-Until cannot be read: ${JSON.stringify(value.slice(0, 100))}`)
  return date
}

function invalid(what: string, problem: string): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `${what}: ${problem}`)
}
