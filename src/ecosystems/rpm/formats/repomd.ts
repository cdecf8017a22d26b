import {
  childOf,
  childrenOf,
  childText,
  escapeXmlAttribute,
  escapeXmlText,
  readXmlDocument,
  type XmlElement,
} from '../../../codec/xml.ts'
import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'

/** The index of a repository's metadata, `repodata/repomd.xml`. */
export interface Repomd {
  /** A time in seconds, or any text; `null` where absent or empty. */
  readonly revision: string | null
  readonly tags: RepomdTags
  /** What the packages' checksums add up to, by a tool's own rule; kept, never relied on. */
  readonly contentHash: { readonly type: string; readonly value: string } | null
  /** In file order. A type may come twice. */
  readonly records: readonly RepomdRecord[]
}

export interface RepomdTags {
  readonly content: readonly string[]
  readonly repo: readonly string[]
  readonly distro: readonly { readonly cpeid: string | null; readonly name: string }[]
}

/** One metadata file. */
export interface RepomdRecord {
  /** `primary`, `filelists`, `updateinfo`, `group_gz`, `susedata.de`: any text. */
  readonly type: string
  /** Of the file as it is served. */
  readonly checksum: Checksum
  /** Of the decompressed file. */
  readonly openChecksum: Checksum | null
  /** In bytes. */
  readonly size: number | null
  /** Decompressed, in bytes. */
  readonly openSize: number | null
  /** Seconds since 1970; old createrepo wrote fractions. */
  readonly timestamp: number | null
  /** Relative to `xmlBase`, else to the repository (not to `repodata`). Not yet checked as a path. */
  readonly href: string
  readonly xmlBase: string | null
  /** Of the sqlite records. */
  readonly databaseVersion: number | null
  /** Of the zchunk header; a `_zck` record's own, or that of the file which `zck-location` names (which is not read). */
  readonly headerChecksum: Checksum | null
  /** In bytes. */
  readonly headerSize: number | null
}

/**
 * Reads repomd.xml; unknown elements are passed over. `sha` is SHA-1.
 * @param bytes whole, of a size that the caller has bounded
 * @throws ChantalError `UPSTREAM_INVALID` where it is not XML, not a repomd, or a record lacks its type or location,
 * has two, or a checksum that is unknown or md5; `CHECKSUM_MISSING`. The message names the record.
 */
export function parseRepomd(bytes: Uint8Array): Repomd {
  const root = readXmlDocument(bytes, 'repomd.xml')
  if (root.local !== 'repomd') {
    throw new ChantalError(
      'UPSTREAM_INVALID',
      `repomd.xml: the root element <${root.name}>, expected <repomd>`,
    )
  }
  const tags = childOf(root, 'tags')
  const contentHash = childOf(root, 'contenthash')
  return {
    revision: childText(root, 'revision'),
    tags: {
      content: childrenOf(tags, 'content').map(trimmedText),
      repo: childrenOf(tags, 'repo').map(trimmedText),
      distro: childrenOf(tags, 'distro').map((distro) => ({
        cpeid: distro.attributes.get('cpeid') || null,
        name: trimmedText(distro),
      })),
    },
    contentHash:
      contentHash === null
        ? null
        : { type: contentHash.attributes.get('type') ?? '', value: trimmedText(contentHash) },
    records: childrenOf(root, 'data').map(toRecord),
  }
}

/**
 * Writes repomd.xml as createrepo_c lays it out: primary, filelists and other first, then by type; records of one
 * type keep their order. Equal input gives equal bytes.
 */
export function serializeRepomd(repomd: Repomd): string {
  const { content, repo, distro } = repomd.tags
  const tags = [
    ...content.map((text) => `    <content>${escapeXmlText(text)}</content>\n`),
    ...repo.map((text) => `    <repo>${escapeXmlText(text)}</repo>\n`),
    ...distro.map(
      ({ cpeid, name }) => `    <distro${attribute('cpeid', cpeid)}>${escapeXmlText(name)}</distro>\n`,
    ),
  ]
  const { contentHash } = repomd
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n',
    line('  ', 'revision', repomd.revision),
    contentHash === null
      ? ''
      : `  <contenthash${attribute('type', contentHash.type)}>${escapeXmlText(contentHash.value)}</contenthash>\n`,
    tags.length === 0 ? '' : `  <tags>\n${tags.join('')}  </tags>\n`,
    ...repomd.records.toSorted(compareRecords).map(serializeRecord),
    '</repomd>\n',
  ].join('')
}

function toRecord(element: XmlElement, index: number): RepomdRecord {
  const type = element.attributes.get('type')?.trim()
  if (!type) throw new ChantalError('UPSTREAM_INVALID', `repomd.xml: record ${index + 1} has no type`)
  const location = single(element, 'location', type)
  const href = location?.attributes.get('href')
  if (!href) throw invalid(type, 'no location')
  const checksum = checksumOf(element, 'checksum', type)
  if (checksum === null) {
    throw new ChantalError('CHECKSUM_MISSING', `repomd.xml: record ${JSON.stringify(type)} has no checksum`)
  }
  return {
    type,
    checksum,
    openChecksum: checksumOf(element, 'open-checksum', type),
    size: countOf(element, 'size'),
    openSize: countOf(element, 'open-size'),
    timestamp: timeOf(element),
    href,
    xmlBase: location?.attributes.get('xml:base') || null,
    databaseVersion: countOf(element, 'database_version'),
    headerChecksum: checksumOf(element, 'header-checksum', type),
    headerSize: countOf(element, 'header-size'),
  }
}

function checksumOf(record: XmlElement, name: string, type: string): Checksum | null {
  const element = single(record, name, type)
  const hex = element?.text.trim()
  if (element === null || !hex) return null
  try {
    const checksum = parseChecksum(element.attributes.get('type') ?? '', hex)
    if (checksum.algorithm === 'md5') throw invalid(type, `an md5 ${name}, which proves nothing`)
    return checksum
  } catch (error) {
    if (!isChantalError(error, 'DIGEST_INVALID')) throw error
    throw invalid(type, `a bad ${name}: ${error.message}`, error)
  }
}

function single(record: XmlElement, name: string, type: string): XmlElement | null {
  const [element, ...others] = childrenOf(record, name)
  if (others.length > 0) throw invalid(type, `<${name}> twice`)
  return element ?? null
}

function invalid(type: string, problem: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `repomd.xml: record ${JSON.stringify(type)} has ${problem}`, {
    cause,
  })
}

function trimmedText(element: XmlElement): string {
  return element.text.trim()
}

function countOf(element: XmlElement, name: string): number | null {
  const text = childText(element, name)
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : null
}

function timeOf(element: XmlElement): number | null {
  const text = childText(element, 'timestamp')
  return text !== null && /^[0-9]{1,12}(?:\.[0-9]{1,9})?$/.test(text) ? Number(text) : null
}

const firstTypes = ['primary', 'filelists', 'other']

function compareRecords(a: RepomdRecord, b: RepomdRecord): number {
  return rank(a) - rank(b) || (a.type < b.type ? -1 : Number(a.type > b.type))
}

function rank({ type }: RepomdRecord): number {
  const index = firstTypes.indexOf(type)
  return index < 0 ? firstTypes.length : index
}

function serializeRecord(record: RepomdRecord): string {
  const location = `    <location${attribute('xml:base', record.xmlBase)}${attribute('href', record.href)}/>\n`
  return [
    `  <data${attribute('type', record.type)}>\n`,
    checksumLine('checksum', record.checksum),
    checksumLine('open-checksum', record.openChecksum),
    checksumLine('header-checksum', record.headerChecksum),
    location,
    line('    ', 'timestamp', record.timestamp),
    line('    ', 'size', record.size),
    line('    ', 'open-size', record.openSize),
    line('    ', 'header-size', record.headerSize),
    line('    ', 'database_version', record.databaseVersion),
    '  </data>\n',
  ].join('')
}

function checksumLine(name: string, checksum: Checksum | null): string {
  return checksum === null ? '' : `    <${name} type="${checksum.algorithm}">${checksum.hex}</${name}>\n`
}

function line(indent: string, name: string, value: string | number | null): string {
  return value === null ? '' : `${indent}<${name}>${escapeXmlText(String(value))}</${name}>\n`
}

function attribute(name: string, value: string | null): string {
  return value === null ? '' : ` ${name}="${escapeXmlAttribute(value)}"`
}
