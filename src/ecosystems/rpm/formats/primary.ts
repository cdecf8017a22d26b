import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'
import { attributesOf, FragmentReader } from './fragment-reader.ts'
import type { Nevra } from './nevra.ts'

/** What is read of every package of primary.xml. Strings are unescaped; absent or empty ones are `null`. */
export interface PrimaryPackage {
  readonly nevra: Nevra
  /** Of the package file. */
  readonly checksum: Checksum
  /** The key of filelists and other: the checksum's digits, lower-case. */
  readonly pkgid: string
  readonly summary: string | null
  readonly packager: string | null
  readonly url: string | null
  /** Seconds since 1970. */
  readonly fileTime: number | null
  /** Seconds since 1970. */
  readonly buildTime: number | null
  /** Of the package file, in bytes. */
  readonly packageSize: number | null
  /** In bytes. */
  readonly installedSize: number | null
  /** Of the payload before compression, in bytes. */
  readonly archiveSize: number | null
  /** Relative to `xmlBase`, else to the repository. As upstream wrote it: not yet checked as a path. */
  readonly href: string
  readonly xmlBase: string | null
  readonly license: string | null
  readonly vendor: string | null
  readonly group: string | null
  readonly buildHost: string | null
  /** File name of the source package; `null` for source packages themselves. */
  readonly sourceRpm: string | null
  /** Where the main header stands in the file: bytes from `start` up to before `end`. */
  readonly headerRange: { readonly start: number; readonly end: number } | null
}

/**
 * Reads one package as the scanner gives it (plain XML, see `plain-package.ts`). Only children of `<package>` and of
 * its `<format>` count, so an element hidden in an unknown one cannot rename the package. A missing epoch is `'0'`;
 * numbers that are none are `null`.
 * @throws ChantalError `UPSTREAM_INVALID` where name, arch, version or location is missing, given twice or unusable,
 * or the checksum's algorithm is unknown or md5; `CHECKSUM_MISSING`. The message names the package.
 */
export function parsePrimaryPackage(fragment: Uint8Array): PrimaryPackage {
  const found: Found = {}
  const reader = new FragmentReader(fragment)
  let inFormat = false
  while (reader.next()) {
    if (reader.depth === 1) {
      inFormat = reader.name === 'format'
      readPackageChild(reader, found)
    } else if (reader.depth === 2 && inFormat) {
      readFormatChild(reader, found)
    }
  }
  return toPackage(found)
}

type TextField =
  | 'name'
  | 'architecture'
  | 'summary'
  | 'packager'
  | 'url'
  | 'license'
  | 'vendor'
  | 'group'
  | 'buildHost'
  | 'sourceRpm'

type Attributes = ReadonlyMap<string, string>

type Found = { [Field in TextField]?: string } & {
  checksum?: { readonly type: string; readonly hex: string }
  version?: Attributes
  location?: Attributes
  time?: Attributes
  size?: Attributes
  headerRange?: Attributes
}

const packageTexts: ReadonlyMap<string, TextField> = new Map([
  ['name', 'name'],
  ['arch', 'architecture'],
  ['summary', 'summary'],
  ['packager', 'packager'],
  ['url', 'url'],
])

const formatTexts: ReadonlyMap<string, TextField> = new Map([
  ['rpm:license', 'license'],
  ['rpm:vendor', 'vendor'],
  ['rpm:group', 'group'],
  ['rpm:buildhost', 'buildHost'],
  ['rpm:sourcerpm', 'sourceRpm'],
])

const packageAttributes: ReadonlyMap<string, 'version' | 'location' | 'time' | 'size'> = new Map([
  ['version', 'version'],
  ['location', 'location'],
  ['time', 'time'],
  ['size', 'size'],
])

function readPackageChild(reader: FragmentReader, found: Found): void {
  const text = packageTexts.get(reader.name)
  if (text !== undefined) {
    if (found[text] !== undefined) throw invalid(found, `<${reader.name}> twice`)
    found[text] = reader.text() ?? refuseNested(reader, found)
    return
  }
  const field = packageAttributes.get(reader.name)
  if (field !== undefined) {
    if (found[field] !== undefined) throw invalid(found, `<${reader.name}> twice`)
    found[field] = attributesOf(reader.tag())
  } else if (reader.name === 'checksum') {
    if (found.checksum !== undefined) throw invalid(found, '<checksum> twice')
    const type = attributesOf(reader.tag()).get('type') ?? ''
    found.checksum = { type, hex: reader.text() ?? refuseNested(reader, found) }
  }
}

function readFormatChild(reader: FragmentReader, found: Found): void {
  const text = formatTexts.get(reader.name)
  if (text !== undefined) found[text] = reader.text() ?? refuseNested(reader, found)
  else if (reader.name === 'rpm:header-range') found.headerRange = attributesOf(reader.tag())
}

function toPackage(found: Found): PrimaryPackage {
  const nevra: Nevra = {
    name: token(found, 'name', found.name),
    epoch: parseEpoch(found),
    version: token(found, 'version ver', found.version?.get('ver')),
    release: token(found, 'version rel', found.version?.get('rel')),
    architecture: token(found, 'arch', found.architecture),
  }
  const href = found.location?.get('href')
  if (href === undefined || href === '') throw invalid(found, 'no location href')
  const checksum = toChecksum(found)
  return {
    nevra,
    checksum,
    pkgid: checksum.hex,
    summary: found.summary || null,
    packager: found.packager || null,
    url: found.url || null,
    fileTime: parseCount(found.time?.get('file')),
    buildTime: parseCount(found.time?.get('build')),
    packageSize: parseCount(found.size?.get('package')),
    installedSize: parseCount(found.size?.get('installed')),
    archiveSize: parseCount(found.size?.get('archive')),
    href,
    xmlBase: found.location?.get('xml:base') || null,
    license: found.license || null,
    vendor: found.vendor || null,
    group: found.group || null,
    buildHost: found.buildHost || null,
    sourceRpm: found.sourceRpm || null,
    headerRange: toHeaderRange(found.headerRange),
  }
}

/** No file's name has more, and a key made of such words fits into an index of every database. */
const longestWord = 255

/** These words become keys, file names and lines of other formats. */
function token(found: Found, field: string, value: string | undefined): string {
  if (value === undefined || value === '') throw invalid(found, `no ${field}`)
  if (/[\s/\u0000-\u001f\u007f-\u009f]/.test(value))
    throw invalid(found, `an unusable ${field}: ${JSON.stringify(value.slice(0, 200))}`)
  const bytes = Buffer.byteLength(value)
  if (bytes > longestWord) throw invalid(found, `a ${field} of ${bytes} bytes`)
  return value
}

function parseEpoch(found: Found): string {
  const epoch = found.version?.get('epoch') || '0'
  if (!/^[0-9]{1,255}$/.test(epoch))
    throw invalid(found, `an epoch that is no number: ${JSON.stringify(epoch.slice(0, 200))}`)
  return epoch
}

function toChecksum(found: Found): Checksum {
  if (found.checksum === undefined || found.checksum.hex.trim() === '') {
    throw new ChantalError('CHECKSUM_MISSING', `primary.xml: package ${nameOf(found)} has no checksum`)
  }
  try {
    const checksum = parseChecksum(found.checksum.type, found.checksum.hex)
    if (checksum.algorithm === 'md5') throw invalid(found, 'an md5 checksum, which proves nothing')
    return checksum
  } catch (error) {
    if (!isChantalError(error, 'DIGEST_INVALID')) throw error
    throw invalid(found, error.message, error)
  }
}

function toHeaderRange(attributes: Attributes | undefined): PrimaryPackage['headerRange'] {
  const start = parseCount(attributes?.get('start'))
  const end = parseCount(attributes?.get('end'))
  return start === null || end === null ? null : { start, end }
}

/** A whole number of at most 15 digits; a fraction, as old tools wrote for times, is cut off. */
function parseCount(text: string | undefined): number | null {
  const digits = text === undefined ? null : /^([0-9]{1,15})(?:\.[0-9]*)?$/.exec(text)
  return digits === null ? null : Number(digits[1])
}

function refuseNested(reader: FragmentReader, found: Found): never {
  throw invalid(found, `elements in <${reader.name}>`)
}

function invalid(found: Found, problem: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `primary.xml: package ${nameOf(found)} has ${problem}`, {
    cause,
  })
}

function nameOf(found: Found): string {
  const name = found.name || found.location?.get('href')
  return name === undefined ? 'without a name' : JSON.stringify(name.slice(0, 200))
}
