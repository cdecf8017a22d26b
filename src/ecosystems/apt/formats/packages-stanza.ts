import { type Checksum, type ChecksumAlgorithm, parseChecksum } from '../../../core/digest.ts'
import { isChantalError } from '../../../core/errors.ts'
import { type FoundFields, findFields, wantedFields } from './wanted-fields.ts'

/** What is read of every stanza of a Packages index. Absent or empty fields are `null`. */
export interface PackagesStanza {
  /** Like version and architecture one word, without `/`. */
  readonly name: string
  readonly version: string
  readonly architecture: string
  /** Relative to the archive's root. As upstream wrote it: not yet checked as a path. */
  readonly filename: string
  /** Of the package file, in bytes. */
  readonly size: number
  /** Of the package file: md5, sha1, sha256, sha512, those that are given. */
  readonly checksums: readonly Checksum[]
  readonly section: string | null
  readonly priority: string | null
  /** The source package's name, where it differs from this one's or its version does. */
  readonly source: string | null
  /** Where it differs from this one's. */
  readonly sourceVersion: string | null
  /** First line of the description. */
  readonly summary: string | null
  /** Lower-case digits; what Translation indexes go by. */
  readonly descriptionMd5: string | null
  /** In bytes. `null` also where it is no number. */
  readonly installedSize: number | null
  /** `deb` where the stanza does not say. */
  readonly packageType: string
  /** 0 to 100. `null` also where it is no such number: everybody gets it. */
  readonly phasedPercentage: number | null
}

/**
 * Reads one stanza of a Packages index.
 * @param what names the index in errors
 * @throws ChantalError `UPSTREAM_INVALID` where name, version, architecture, file name or size is missing or unusable, a checksum does
 * not fit its algorithm, or one of these is given twice with different values. The message names index, package and field.
 */
export function parsePackagesStanza(bytes: Uint8Array, what: string): PackagesStanza {
  const found = findFields(bytes, wanted, what)
  const source = /^([^\s()]+)(?:[ \t]*\(([^\s()]+)\))?$/.exec(found.optional('Source') ?? '')
  return {
    name: found.token('Package'),
    version: found.token('Version'),
    architecture: found.token('Architecture'),
    filename: found.required('Filename'),
    size: found.count('Size'),
    checksums: parseChecksums(found),
    section: found.optional('Section'),
    priority: found.optional('Priority'),
    source: source?.[1] ?? null,
    sourceVersion: source?.[2] ?? null,
    summary: found.optional('Description')?.split('\n', 1)[0] || null,
    descriptionMd5: found.optional('Description-md5')?.toLowerCase() ?? null,
    installedSize: parseInstalledSize(found.optional('Installed-Size')),
    packageType: found.optional('Package-Type') === null ? 'deb' : found.token('Package-Type'),
    phasedPercentage: parsePercentage(found.optional('Phased-Update-Percentage')),
  }
}

const checksumFields = ['MD5sum', 'SHA1', 'SHA256', 'SHA512'] as const

const algorithms: Readonly<Record<(typeof checksumFields)[number], ChecksumAlgorithm>> = {
  MD5sum: 'md5',
  SHA1: 'sha1',
  SHA256: 'sha256',
  SHA512: 'sha512',
}

const fields = [
  ...checksumFields,
  'Package',
  'Version',
  'Architecture',
  'Filename',
  'Size',
  'Section',
  'Priority',
  'Source',
  'Description',
  'Description-md5',
  'Installed-Size',
  'Package-Type',
  'Phased-Update-Percentage',
] as const

const wanted = wantedFields(fields)

function parseChecksums(found: FoundFields<(typeof fields)[number]>): readonly Checksum[] {
  const checksums: Checksum[] = []
  for (const field of checksumFields) {
    const hex = found.optional(field)
    if (hex === null) continue
    try {
      checksums.push(parseChecksum(algorithms[field], hex))
    } catch (error) {
      if (!isChantalError(error, 'DIGEST_INVALID')) throw error
      throw found.invalid(`an unusable ${field}: ${error.message}`, error)
    }
  }
  return checksums
}

/** The field counts KiB. */
function parseInstalledSize(text: string | null): number | null {
  return text !== null && /^[0-9]{1,12}$/.test(text) ? Number(text) * 1024 : null
}

function parsePercentage(text: string | null): number | null {
  return text !== null && /^(?:100|[0-9]{1,2})$/.test(text) ? Number(text) : null
}
