import type { Checksum, Expectation } from '../../core/digest.ts'
import { ChantalError } from '../../core/errors.ts'
import type { RelativePath } from '../../core/path.ts'
import type { FetchedFile, ReadLimits } from '../ecosystem.ts'
import type { Release, ReleaseFile } from './formats/release.ts'
import type { IndexVariants, ListedIndex } from './suite-indexes.ts'
import type { AptReadRequest, SuiteRelease } from './suite-release.ts'
import { inSuite, type SuitePlace } from './suites.ts'

/** An index of packages, in the one compression that is read. */
export interface FetchedIndex {
  readonly place: SuitePlace
  readonly index: IndexVariants
  /** `null` where nothing is in it: upstreams do not always serve what is empty. */
  readonly file: FetchedFile | null
  /** What Release says of it before compression; `null` where it does not. */
  readonly plain: ReleaseFile | null
}

/**
 * Fetches an index of packages. One that apt does without may be absent.
 * @returns `null` for such a one
 * @throws ChantalError `CHECKSUM_MISSING`, and what `metadata.fetch` throws
 */
export async function fetchPackageIndex(
  request: AptReadRequest,
  { place, release }: SuiteRelease,
  index: IndexVariants,
): Promise<FetchedIndex | null> {
  const plain = release.files.get(index.plainPath) ?? null
  if (plain?.size === 0) return { place, index, file: null, plain }
  const [first] = index.variants
  for (const variant of index.variants) {
    const file = await fetchListed(request, place, release, variant)
    if (file) return { place, index, file, plain }
  }
  // apt never asks for those of the installer.
  if (!index.isUdeb) {
    throw new ChantalError('NOT_FOUND', `Release lists ${index.plainPath}, and upstream has it in no form`, {
      details: { path: inSuite(place, first.file.path) },
    })
  }
  request.reporter.report({
    type: 'warning',
    code: 'METADATA_MISSING',
    message: `${inSuite(place, index.plainPath)} is listed, and upstream does not have it`,
  })
  return null
}

/** A file that Release lists, under the name that its checksum gives it where there is one; `null` where upstream has neither. */
export async function fetchListed(
  { metadata, limits }: AptReadRequest,
  place: SuitePlace,
  release: Release,
  { file }: ListedIndex,
): Promise<FetchedFile | null> {
  const expect = expectationOf(place, file, limits)
  const byHash = release.acquireByHash ? byHashPath(place, file) : null
  const found = byHash && (await metadata.fetchOptional(byHash, expect))
  return found ?? (await metadata.fetchOptional(inSuite(place, file.path), expect))
}

/** @throws ChantalError `CHECKSUM_MISSING` where it has none that apt would trust */
export function expectationOf(place: SuitePlace, file: ReleaseFile, limits: ReadLimits): Expectation {
  if (!strongestOf(file)) {
    throw new ChantalError('CHECKSUM_MISSING', `Release gives no SHA-256 or SHA-512 of ${file.path}`, {
      hint: 'apt refuses such a repository too: its owner has to publish it with a newer tool.',
      details: { path: inSuite(place, file.path) },
    })
  }
  return { size: file.size, checksums: file.checksums, maxSize: Math.min(file.size, limits.metadata) }
}

/** Where the file stands under its strongest checksum, as apt asks for it. */
export function byHashPath(place: SuitePlace, file: ReleaseFile): RelativePath | null {
  const checksum = strongestOf(file)
  return checksum && hashPath(place, file.path, checksum)
}

export function hashPath(place: SuitePlace, path: string, { algorithm, hex }: Checksum): RelativePath {
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  return inSuite(place, `${folder}by-hash/${hashNames[algorithm]}/${hex}`)
}

/** As the sections of a Release file are called. */
const hashNames: Readonly<Record<Checksum['algorithm'], string>> = {
  md5: 'MD5Sum',
  sha1: 'SHA1',
  sha224: 'SHA224',
  sha256: 'SHA256',
  sha384: 'SHA384',
  sha512: 'SHA512',
}

function strongestOf({ checksums }: ReleaseFile): Checksum | null {
  return (
    checksums.find(({ algorithm }) => algorithm === 'sha512') ??
    checksums.find(({ algorithm }) => algorithm === 'sha256') ??
    null
  )
}
