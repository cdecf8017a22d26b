import type { Expectation } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath, type RelativePath, withoutLeadingDots } from '../../core/path.ts'
import type { ReadLimits } from '../ecosystem.ts'
import type { Repomd, RepomdRecord } from './formats/repomd.ts'

export const repomdPath = parseRelativePath('repodata/repomd.xml')
export const signaturePath = parseRelativePath('repodata/repomd.xml.asc')
/** The key, as openSUSE's tools put it beside the signature. */
export const repomdKeyPath = parseRelativePath('repodata/repomd.xml.key')
/** Where a generated tree has the key that it is signed with. */
export const treeKeyPath = parseRelativePath('key.asc')
/** What belongs to the index itself; no record of it can lie there. */
const indexPaths: readonly RelativePath[] = [repomdPath, signaturePath, repomdKeyPath, treeKeyPath]
/** Where a tree says what boots its installer; some serve it under the second name. */
export const treeinfoPaths: readonly RelativePath[] = ['.treeinfo', 'treeinfo'].map(parseRelativePath)
export const extraFilesPath = parseRelativePath('extra_files.json')

/** The documents with an element per package; their fragments are the parts of the native record. */
export const packageDocuments = ['primary', 'filelists', 'other', 'filelists-ext'] as const

export type PackageDocument = (typeof packageDocuments)[number]

/** Copies of other records in another form (sqlite, zchunk): they list upstream's whole set and cannot outlive a change of it. */
export function isCopyOfAnother(type: string): boolean {
  return /_(db|zck)$/.test(type)
}

/** Binary differences between packages, which a generated tree does not have. */
export const deltaTypes: ReadonlySet<string> = new Set(['prestodelta', 'deltainfo'])

/** A record under one of several names: comps come as `group`, or compressed as `group_gz`, `group_xz`. */
export function findRecord(repomd: Repomd, ...types: readonly string[]): RepomdRecord | null {
  for (const type of types) {
    const record = repomd.records.find((candidate) => candidate.type === type)
    if (record) return record
  }
  return null
}

export const compsTypes = ['group', 'group_gz', 'group_xz', 'group_zst'] as const

/** Where a record's file stands. @throws ChantalError `PATH_UNSAFE`; `UPSTREAM_INVALID` for one on another host, or in the index's own place */
export function recordPath(record: RepomdRecord): RelativePath {
  if (record.xmlBase !== null) {
    throw new ChantalError(
      'UPSTREAM_INVALID',
      `repomd.xml: ${record.type} lies at another address (xml:base ${record.xmlBase})`,
      {
        hint: 'Chantal mirrors metadata that lies with its repomd.xml only.',
        details: { record: record.type },
      },
    )
  }
  const path = upstreamPath(record.href)
  if (!indexPaths.includes(path)) return path
  throw new ChantalError(
    'UPSTREAM_INVALID',
    `repomd.xml: ${record.type} is to lie at ${path}, where the index itself does`,
    {
      hint: 'Upstream made this index wrongly; tell them.',
      details: { record: record.type },
    },
  )
}

/** A path as upstream writes it; `./` before it says nothing. @throws ChantalError `PATH_UNSAFE` */
export function upstreamPath(href: string): RelativePath {
  return parseRelativePath(withoutLeadingDots(href))
}

/** What repomd.xml promises of a record's file. */
export function recordExpectation(record: RepomdRecord, limits: ReadLimits): Expectation {
  const { checksum, size } = record
  const promised = {
    checksums: [checksum],
    maxSize: size === null ? limits.metadata : Math.min(size, limits.metadata),
  }
  return size === null ? promised : { ...promised, size }
}

/** Bytes of metadata that is read whole: modules and comps of the largest distributions are a tenth of it. */
export const wholeLimit = 256 * 1024 ** 2

/** Bytes that a record may decompress to. */
export function openLimit(record: RepomdRecord | null, size: number, limits: ReadLimits): number {
  return record?.openSize ?? Math.max(size * limits.decompressedRatio, limits.decompressedMinimum)
}
