import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'
import { parseReleaseDate } from './release-date.ts'
import { parseStanzaText, type Stanza, type StanzaField } from './stanza.ts'

/** A file that a Release lists. */
export interface ReleaseFile {
  /** Relative to the Release file, without blanks. As upstream wrote it: not yet checked as a path. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** At most one of each algorithm. */
  readonly checksums: readonly Checksum[]
}

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
      ?.split('\n', 1)
      .flatMap((line) => line.split(/[ \t]+/))
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
    files: parseFiles(stanza, what),
  }
}

/** What a checksum section's field is called, in lower case, and its algorithm. */
const checksumSections: ReadonlyMap<string, Checksum['algorithm']> = new Map([
  ['md5sum', 'md5'],
  ['sha1', 'sha1'],
  ['sha256', 'sha256'],
  ['sha512', 'sha512'],
])

function parseValidUntil(stanza: Stanza, what: string): Date | null {
  const value = stanza.get('Valid-Until') || null
  if (value === null) return null
  const date = parseReleaseDate(value)
  if (date === null) throw invalid(what, `Valid-Until cannot be read: ${quote(value)}`)
  return date
}

interface ListedFile {
  readonly path: string
  readonly size: number
  readonly checksums: Checksum[]
}

function parseFiles(stanza: Stanza, what: string): ReadonlyMap<string, ReleaseFile> {
  const files = new Map<string, ListedFile>()
  for (const [section, algorithm] of checksumSections) {
    for (const line of stanza.get(section)?.split('\n') ?? []) {
      if (line === '') continue
      const entry = parseLine(line, algorithm, what)
      const file = files.get(entry.path)
      if (file === undefined) files.set(entry.path, { ...entry, checksums: [entry.checksum] })
      else addChecksum(file, entry, what)
    }
  }
  return files
}

interface Line {
  readonly path: string
  readonly size: number
  readonly checksum: Checksum
}

function parseLine(line: string, algorithm: Checksum['algorithm'], what: string): Line {
  const found = /^[ \t]*([0-9A-Fa-f]+)[ \t]+([0-9]{1,15})[ \t]+([^\s]+)$/.exec(line)
  const [, hex = '', size = '', path = ''] = found ?? []
  if (found === null) throw invalid(what, `a line is not "checksum size path": ${quote(line)}`)
  try {
    return { path, size: Number(size), checksum: parseChecksum(algorithm, hex) }
  } catch (error) {
    if (!isChantalError(error, 'DIGEST_INVALID')) throw error
    throw invalid(what, `${quote(path)} has an unusable checksum: ${error.message}`, error)
  }
}

function addChecksum(file: ListedFile, { path, size, checksum }: Line, what: string): void {
  if (file.size !== size) throw invalid(what, `${quote(path)} has two sizes: ${file.size} and ${size}`)
  const known = file.checksums.find(({ algorithm }) => algorithm === checksum.algorithm)
  if (known === undefined) file.checksums.push(checksum)
  else if (known.hex !== checksum.hex) {
    throw invalid(
      what,
      `${quote(path)} has two ${checksum.algorithm} checksums: ${known.hex} and ${checksum.hex}`,
    )
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 300))
}

function invalid(what: string, problem: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `${what}: ${problem}`, { cause })
}
